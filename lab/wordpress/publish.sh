#!/usr/bin/env bash
# publish.sh TITLE TEXT [IMAGE], on the client: publishes a post through the virtual address, as its editor in a browser does, and prints the
# post's address; with IMAGE, a file, also the uploaded image's.
set -euo pipefail
site=http://172.16.0.40
jar=$(mktemp)
trap 'rm -f "$jar"' EXIT

ask() { curl -sS --max-time 30 --cookie "$jar" --cookie-jar "$jar" "$@"; }

log_in() {
  ask -o /dev/null $site/wp-login.php  # brings the cookie that tests for cookies
  ask -o /dev/null --fail $site/wp-login.php --data log=admin --data pwd=admin --data wp-submit=Log+In --data testcookie=1
  nonce=$(ask --fail "$site/wp-admin/admin-ajax.php?action=rest-nonce")
}

# The address is a field of the answer. Without rewriting in nginx, the API has no address of its own.
call() { ask --fail-with-body -H "X-WP-Nonce: $nonce" "$site/index.php?rest_route=/wp/v2/$1" "${@:2}"; }
field() { sed -E 's/.*"'"$1"'":"([^"]*)".*/\1/; s/\\//g' && echo; }

# Quotes, backslashes and newlines are what JSON asks for.
quoted() { printf '"%s"' "$(sed -E 's/[\\"]/\\&/g' <<<"$1" | sed ':a;N;$!ba;s/\n/\\n/g')"; }

log_in
call posts -H 'Content-Type: application/json' \
  --data "{\"title\": $(quoted "$1"), \"content\": $(quoted "$2"), \"status\": \"publish\"}" | field link
if (($# > 2)); then
  call media -H 'Content-Type: image/png' -H "Content-Disposition: attachment; filename=$(basename "$3")" --data-binary "@$3" |
    field source_url
fi
