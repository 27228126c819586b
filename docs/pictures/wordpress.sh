#!/usr/bin/env bash
# Makes wordpress.png anew: a browser on this machine opens a post on the lab's WordPress, through the virtual server. Needs a build and root.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(dirname "$(dirname "$here")")
lab=("${PENSTOCK_BIN:-$root/build/bin}/penstock-lab" --name picture)
work=$(mktemp -d)
trap '"${lab[@]}" down >/dev/null; rm -rf "$work"' EXIT

browser=$(command -v chromium-headless-shell chromium | head -n 1) || { echo "no chromium-headless-shell and no chromium here" >&2; exit 1; }
sed 's/forward [0-9]*/forward 0/' "$root/lab/topologies/wordpress.conf" >"$work/wordpress.conf"  # another lab may have the port
"${lab[@]}" up "$work/wordpress.conf" >"$work/said"
site=$(sed -n 's,^In your browser.*: \(http.*\)/$,\1,p' "$work/said")
cd "$root"  # the hosts see it, too
post=$("${lab[@]}" exec client lab/wordpress/publish.sh 'One virtual server, two real ones' \
  'This post was written through 172.16.0.40. Its text is in MariaDB, its pages are PHP files on NFS, and whichever real server answers finds both. The reply does not pass the director.')
"$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --window-size=1000,620 \
  --virtual-time-budget=8000 --screenshot="$here/wordpress.png" "$site/${post#http://*/}" 2>"$work/browser" ||
  { cat "$work/browser" >&2; exit 1; }
ls -l "$here/wordpress.png"
