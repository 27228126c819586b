#!/usr/bin/env bash
# The demonstration: a cluster by direct routing, configured with ipvsadm, shown at work. `./run demo` builds first and calls this.
# It begins with a fresh lab each time and leaves it up to be played with; `./run demo down` removes it.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
bin=${PENSTOCK_BIN:-$root/build/bin}
lab=$bin/penstock-lab
vip=172.16.0.40

bold='' dim='' green='' red='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

die() {
  printf '%sdemo: %s%s\n' "$red" "$*" "$plain" >&2
  local log
  if log=$("$lab" logs director 2>/dev/null | tail -n 20); then printf 'What the director said last:\n%s\n' "$log" >&2; fi
  exit 1
}

inside() { "$lab" exec "$@"; }

# on HOST COMMAND…: shows the command as it would be typed on that host, then runs it.
on() {
  local host=$1
  shift
  printf '%s[%s]%s $ %s\n' "$green" "$host" "$plain" "$*"
  inside "$host" "$@" || die "on $host: $*: exit status $?"
}

# The same for a line of shell.
on_shell() {
  printf '%s[%s]%s $ %s\n' "$green" "$1" "$plain" "$2"
  inside "$1" sh -c "$2" || die "on $1: $2: exit status $?"
}

bytes() { inside "$1" cat "/sys/class/net/eth0/statistics/$2_bytes"; }
readable() { if (($1 < 1000000)); then echo "$(($1 / 1000)) kB"; else echo "$(($1 / 1000000)).$(($1 / 100000 % 10)) MB"; fi; }

picture() {
  cat <<END
$dim
                                +-------------------------+
         1. request to the VIP  | director    172.16.0.31 |
      +------------------------>| VIP         172.16.0.40 |
      |                         +------------+------------+
      |                                      | 2. the same packet, with a real server's MAC address
  +---+---------+                   +--------+--------+
  | client      |                   v                 v
  | 172.16.0.10 |            +-------------+   +-------------+
  +-------------+            | rs1         |   | rs2         |
      ^                      | 172.16.0.32 |   | 172.16.0.33 |
      |                      | VIP on lo   |   | VIP on lo   |
      |                      +------+------+   +------+------+
      |  3. reply, straight back    |                 |
      +-----------------------------+-----------------+$plain
END
}

become_root() {
  ((EUID == 0)) && return 0
  command -v sudo >/dev/null || die "a lab is made of network namespaces: run this as root"
  echo "A lab is made of network namespaces, which takes root: going on under sudo."
  exec sudo -- env PENSTOCK_BIN="$bin" "${BASH_SOURCE[0]}" "$@"
}

require_programs() {
  local program
  for program in penstock-lab penstockd ipvsadm; do
    [[ -x $bin/$program ]] || die "$bin/$program is not there: ./run build makes it"
  done
  "$lab" check >/dev/null || { "$lab" check; die "this machine lacks what a lab needs, see above"; }
}

bring_up() {
  say "Four hosts on one switch: network namespaces on this machine, nothing outside them is touched"
  "$lab" down >/dev/null
  "$lab" up --bare direct || die "the lab does not come up"
  picture
}

configure() {
  say "A virtual service with two real servers, round robin, direct routing (-g)"
  on director ipvsadm -A -t $vip:80 -s rr
  on director ipvsadm -a -t $vip:80 -r 172.16.0.32 -g -w 1
  on director ipvsadm -a -t $vip:80 -r 172.16.0.33 -g -w 1
  on director ipvsadm -Ln
}

ask_six_times() {
  local server
  say "Who answers?"
  on_shell client "for i in 1 2 3 4 5 6; do curl -s --max-time 3 http://$vip/; done" | tee "$output"
  for server in rs1 rs2; do
    (($(grep -c "^Hello from $server\$" "$output") == 3)) || die "round robin gives each real server three of six requests"
  done
}

burst() {
  say "A burst: 64 connections for three seconds"
  on client wrk --duration 3 --connections 64 --threads 2 --latency http://$vip/ | tee "$output"
  ! grep -qE 'Socket errors|Non-2xx' "$output" || die "requests failed, see above"
  grep -qE '^Requests/sec: +[1-9]' "$output" || die "no request was answered"
  on director ipvsadm -Ln
  on director ipvsadm -Ln --stats
}

prove_that_replies_bypass() {
  local before_in before_out before_client in out received
  say "Where do the replies go?"
  before_in=$(bytes director rx) before_out=$(bytes director tx) before_client=$(bytes client rx)
  on_shell client "for i in 1 2 3 4 5 6 7 8; do curl -s --max-time 10 -o /dev/null http://$vip/bulk; done"
  in=$(($(bytes director rx) - before_in)) out=$(($(bytes director tx) - before_out))
  received=$(($(bytes client rx) - before_client))
  ((received > 8 * 8 * 1024 * 1024)) || die "the client received $received bytes, less than eight files of 8 MiB"
  ((out > 0 && in * 10 < received && out * 10 < received)) || die "the director carried replies: $in bytes in, $out out"
  printf '\nThe client received %s%s%s. Meanwhile %s entered the director and %s left it:\n' \
    "$bold" "$(readable $received)" "$plain" "$(readable $in)" "$(readable $out)"
  printf 'requests and acknowledgements only. The replies went straight from the real servers to the client.\n'
}

say_how_to_go_on() {
  local penstock=${bin#"$PWD"/}/penstock
  say "The lab stays up. Go on:"
  cat <<END
  $penstock lab exec director ipvsadm -e -t $vip:80 -r 172.16.0.32 -g -w 3
  $penstock lab exec client curl -i http://$vip/
  $penstock lab exec director            # a shell there
  $penstock lab view                     # what flows where
  $penstock lab status
  ./run demo down
END
}

bring_up_wordpress() {
  say "WordPress on two real servers, its tree on NFS, its data in MariaDB: seven hosts on one switch"
  "$lab" down >/dev/null
  "$lab" up wordpress || die "the lab does not come up"
}

case ${1:-} in
  '')
    become_root
    output=$(mktemp)
    trap 'rm -f "$output"' EXIT
    require_programs
    bring_up
    configure
    ask_six_times
    burst
    prove_that_replies_bypass
    say_how_to_go_on
    ;;
  wordpress)
    become_root wordpress
    require_programs
    bring_up_wordpress
    ;;
  down)
    become_root down
    [[ -x $lab ]] || { echo "nothing is built, so no lab is up"; exit 0; }
    "$lab" down
    ;;
  *)
    echo "usage: ./run demo [wordpress|down]" >&2
    exit 2
    ;;
esac
