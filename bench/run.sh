#!/usr/bin/env bash
# `./run bench`: every number that Penstock claims about speed, measured here and now. README.md says how.
set -euo pipefail

root=$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")
bin=${PENSTOCK_BIN:-$root/build/bin}

commit() {
  git -C "$root" describe --always --dirty 2>/dev/null || echo unknown
}

processor() { sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1; }

if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "bench: loading BPF programs takes root" >&2; exit 1; }
  exec sudo -- env PENSTOCK_BIN="$bin" "${BASH_SOURCE[0]}" "$@"
fi

printf 'Penstock %s, Linux %s, %s CPUs: %s, load %s\n\n' "$(commit)" "$(uname -r)" "$(nproc)" "$(processor)" "$(cut -d' ' -f1 /proc/loadavg)"
"$bin/packet_bench" "$@"
printf '\n'
"$root/bench/lab_bench.sh"
