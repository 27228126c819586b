#!/usr/bin/env bash
# Requests per second through a lab: by direct routing through the director, next to plain forwarding through a router, in turns.
# Everything shares this machine's processors, so CPU time per request, of client, director and server together, says as much.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
bin=${PENSTOCK_BIN:-$root/build/bin}
lab=("$bin/penstock-lab" --name bench)
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-2}
connections=32

declare -A address=([director]=172.16.0.40 [router]=172.16.0.41)
results=$(mktemp)

die() { printf 'lab_bench: %s\n' "$*" >&2; exit 1; }

clean_up() {
  rm -f "$results"
  "${lab[@]}" down >/dev/null
}

bring_up() {
  "${lab[@]}" up "$root/bench/lab.conf" >/dev/null
  "${lab[@]}" exec director ipvsadm -A -t ${address[director]}:80 -s rr
  "${lab[@]}" exec director ipvsadm -a -t ${address[director]}:80 -r 172.16.0.32 -g
}

# Hundredths of a second that this machine's processors have worked.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# run_once WAY KIND: appends "WAY KIND requests/s CPU-microseconds/request".
run_once() {
  local way=$1 kind=$2 header=() output before after
  [[ $kind == close ]] && header=(--header 'Connection: close')
  before=$(busy)
  output=$("${lab[@]}" exec client wrk --threads 1 --connections "$connections" --duration "$seconds" "${header[@]}" "http://${address[$way]}/")
  after=$(busy)
  if grep -qE 'Non-2xx|Socket errors: connect [1-9]' <<<"$output"; then die "$way, $kind: $output"; fi
  awk -v way="$way" -v kind="$kind" -v ticks=$((after - before)) '
    / requests in / { requests = $1 }
    /^Requests\/sec:/ { rate = $2 }
    END { if (requests == 0) exit 1; printf "%s %s %.0f %.1f\n", way, kind, rate, ticks * 10000 / requests }
  ' <<<"$output" >>"$results" || die "$way, $kind: no request was answered: $output"
}

# quartiles WAY KIND COLUMN
quartiles() {
  awk -v way="$1" -v kind="$2" -v column="$3" '$1 == way && $2 == kind { print $column }' "$results" | sort -n |
    awk '{ value[NR] = $1 } function at(quarter) { return value[1 + int((NR - 1) * quarter / 4)] }
      END { printf "%s (%s-%s)", at(2), at(1), at(3) }'
}

row() { printf '%-46s%24s%24s\n' "$1" "$(quartiles director "$2" "$3")" "$(quartiles router "$2" "$3")"; }

print_table() {
  printf '%-46s%24s%24s\n' 'through a lab: median (quartiles)' 'penstock, direct' 'routed, no director'
  row 'keep-alive, requests/s' keep 3
  row 'keep-alive, CPU us per request' keep 4
  row 'a connection each, requests/s' close 3
  row 'a connection each, CPU us per request' close 4
}

((EUID == 0)) || die "a lab is made of network namespaces: run this as root"
command -v wrk >/dev/null || die "wrk is not installed: ./run setup"
for program in penstock-lab penstockd ipvsadm; do [[ -x $bin/$program ]] || die "$bin/$program is not there: ./run build"; done
trap clean_up EXIT
bring_up
for way in director router; do run_once $way keep; done  # warms up
: >"$results"
for ((round = 0; round < rounds; round++)); do
  for kind in keep close; do
    for way in director router; do run_once $way $kind; done
  done
done
print_table
