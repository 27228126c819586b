#!/usr/bin/env bash
# The packet headers that the pages show: brings each topology of the lab up, opens one HTTP connection for each case, captures at every
# port of the switch what goes to the host there, and writes METHOD.txt beside this script.
#
#   capture.sh            write them
#   capture.sh --check    compare them with a fresh capture; 77: this machine can't make one, and the output says why
#
# One real server is taken out of each service, so that the same one answers in each run.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
bin=${PENSTOCK_BIN:-$(dirname "$(dirname "$here")")/build/bin}
lab_name=packets-$(cksum <<<"$here" | cut -d " " -f 1)  # of this tree: what a killed run left is taken down by the next
deadline_s=20
declare -A address_of network_of

die() { printf 'capture.sh: %s\n' "$*" >&2; exit 1; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

lab() { "$bin/penstock-lab" --name "$lab_name" "$@"; }
inside() { lab exec "$@"; }
director() { inside director "$@"; }

require_programs() {
  ((EUID == 0)) || skip "a lab takes root"
  command -v tcpdump >/dev/null || skip "tcpdump is not installed"
  local program
  for program in penstock-lab penstockd ipvsadm hops; do
    [[ -x $bin/$program ]] || die "$bin/$program is not there: ./run build makes it"
  done
  "$bin/penstock-lab" check >"$scratch/check" || { cat "$scratch/check"; skip "this machine lacks what a lab needs, see above"; }
}

# ---- one topology ----

# up TOPOLOGY NETWORK…: networks in the order of the file, as the switch's bridges are br0, br1 …
up() {
  local topology=$1
  shift
  networks=("$@")
  lab up "$topology" >"$scratch/up" || { cat "$scratch/up" >&2; die "topology $topology does not come up"; }
  note_hosts
}

down() { lab down >/dev/null; }

# The switch's ports are named HOST-ethN, and each has a bridge as its master.
note_hosts() {
  local port host address bridge
  ports=()
  for port in $(inside switch ls /sys/class/net); do
    [[ $port == *-eth* ]] || continue
    host=${port%-eth*}
    address=$(inside "$host" cat "/sys/class/net/eth${port##*-eth}/address")
    bridge=$(inside switch readlink "/sys/class/net/$port/master")
    ports+=("$port")
    address_of[$port]=$address
    network_of[$port]=${networks[${bridge##*/br}]}
    echo "$address $host"
  done >"$scratch/hosts"
}

# ---- one case ----

wait_for() {
  local end=$((SECONDS + deadline_s))
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

# Outgoing at the switch, which computes the checksums that hosts leave to their cards. A frame for a host that the bridge has not met yet
# goes to all ports: it counts at its own.
begin_captures() {
  local port
  for port in "${ports[@]}"; do
    inside switch sh -c "echo \$\$ >/run/tcpdump-$port
      exec tcpdump -n -s 0 -U --immediate-mode -w - -Q out -i $port ether dst ${address_of[$port]}" \
      >"$scratch/$port.pcap" 2>"$scratch/$port.log" &
  done
  for port in "${ports[@]}"; do
    wait_for grep -q 'listening on' "$scratch/$port.log" || die "tcpdump does not begin: $(cat "$scratch/$port.log")"
  done
}

end_captures() {
  inside switch sh -c 'kill $(cat /run/tcpdump-*); rm /run/tcpdump-*'
  wait
}

tell_table() {
  local port captures=()
  for port in "${ports[@]}"; do captures+=("${network_of[$port]}=$scratch/$port.pcap"); done
  "$bin/hops" --title "$1" --hosts "$scratch/hosts" --port 80 --port 81 --port 8080 "${captures[@]}" >"$scratch/table" 2>"$scratch/complaint"
}

# 3: not all frames have arrived in the files yet.
has_told_or_failed() {
  local status=0
  tell_table "$1" || status=$?
  ((status != 3))
}

ask() { inside client curl --silent --show-error --fail --max-time 5 --output /dev/null "$1"; }

# show TITLE URL: the request that counts is the second one, when all addresses are resolved.
show() {
  local title=$1 url=$2
  wait_for ask "$url" 2>/dev/null || die "$title: no answer from $url"
  begin_captures
  ask "$url" || die "$title: no answer from $url"
  wait_for has_told_or_failed "$title" || die "$title: $(cat "$scratch/complaint")"
  end_captures
  tell_table "$title" || die "$title: $(cat "$scratch/complaint")"
  [[ -s $page ]] && echo >>"$page"
  cat "$scratch/table" >>"$page"
}

page() { page=$scratch/pages/$1.txt; }

# ---- what is shown ----

direct() {
  page direct
  up direct lan
  director ipvsadm -d -t 172.16.0.40:80 -r 172.16.0.33
  director ipvsadm -d -t '[fd00:ac10::40]:80' -r '[fd00:ac10::33]:80'
  show "direct, IPv4" http://172.16.0.40/
  show "direct, IPv6" 'http://[fd00:ac10::40]/'
  down
}

direct_two_routers() {
  page direct-two-routers
  up direct-two-routers outside inside
  director ipvsadm -d -t 192.0.2.40:80 -r 172.16.0.33
  director ipvsadm -d -t '[2001:db8:2::40]:80' -r '[fd00:ac10::33]:80'
  show "direct with two routers, IPv4" http://192.0.2.40/
  show "direct with two routers, IPv6" 'http://[2001:db8:2::40]/'
  down
}

nat() {
  page nat
  up nat wan lan
  director ipvsadm -d -t 192.0.2.40:80 -r 10.0.0.33:8080
  director ipvsadm -d -t '[2001:db8:2::40]:80' -r '[fd00:10::33]:8080'
  show "nat, IPv4" http://192.0.2.40/
  show "nat, IPv6" 'http://[2001:db8:2::40]/'
  down
}

tunnel() {
  page tunnel
  up tunnel wan lan
  director ipvsadm -d -t 192.0.2.40:80 -r 10.0.0.33
  director ipvsadm -d -t '[2001:db8:2::40]:80' -r '[fd00:10::33]:80'
  show "tunnel (ipip), IPv4" http://192.0.2.40/
  show "tunnel (ipip), IPv6" 'http://[2001:db8:2::40]/'
  director ipvsadm -e -t 192.0.2.40:80 -r 10.0.0.32 -i --tun-type gre
  show "tunnel (gre), IPv4" http://192.0.2.40/
  director ipvsadm -e -t 192.0.2.40:80 -r 10.0.0.32 -i --tun-type gue --tun-port 6080
  show "tunnel (gue), IPv4" http://192.0.2.40/
  down
}

fullnat() {
  page fullnat
  up fullnat wan far
  director ipvsadm -d -t 192.0.2.40:80 -r 10.0.0.33:8080
  director ipvsadm -d -t '[2001:db8:2::40]:80' -r '[fd00:10::33]:8080'
  director ipvsadm -A -t '[2001:db8:2::40]:81' -s rr
  director ipvsadm -a -t '[2001:db8:2::40]:81' -r 10.0.0.32:8080 --fullnat
  show "fullnat, IPv4" http://192.0.2.40/
  show "fullnat, IPv6" 'http://[2001:db8:2::40]/'
  show "fullnat, from IPv6 to an IPv4 real server" 'http://[2001:db8:2::40]:81/'
  down
}

compare() {
  local text differ=0
  for text in "$scratch"/pages/*.txt; do diff -u "$here/$(basename "$text")" "$text" || differ=1; done
  ((differ == 0)) || die "docs/packets differs from a fresh capture, see above; docs/packets/capture.sh writes it anew"
}

clean_up() {
  down 2>/dev/null || true
  rm -rf "$scratch"
}

case ${1:-} in
  '' | --check) ;;
  *) echo "usage: capture.sh [--check]" >&2; exit 2 ;;
esac
scratch=$(mktemp -d)
trap 'clean_up' EXIT
mkdir "$scratch/pages"
require_programs
down
for method in direct direct_two_routers nat tunnel fullnat; do $method; done
if [[ ${1:-} == --check ]]; then compare; else cp "$scratch"/pages/*.txt "$here/"; fi
