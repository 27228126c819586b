#!/usr/bin/env bash
# The pictures of docs/: NAME.pic.txt → NAME.svg. draw.awk describes the text; it needs nothing but awk.
#
#   draw.sh            draw all of them
#   draw.sh --check    say which are not what their text makes
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

draw() { LC_ALL=C awk -v style=style.txt -f draw.awk "$1"; }

case ${1:-} in
  '') for text in [a-z]*.pic.txt; do draw "$text" >"${text%.pic.txt}.svg"; done ;;
  --check)
    stale=0
    for text in [a-z]*.pic.txt; do
      draw "$text" | cmp -s - "${text%.pic.txt}.svg" || { echo "docs/pictures/${text%.pic.txt}.svg is not what $text makes: run docs/pictures/draw.sh"; stale=1; }
    done
    exit $stale
    ;;
  *) echo "usage: draw.sh [--check]" >&2; exit 2 ;;
esac
