#!/usr/bin/env bash
# On the client: installs WordPress as a visitor would, by its form, through the virtual address.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/wait_for.sh"
form=http://172.16.0.40/wp-admin/install.php

form_is_there() { curl -sS --fail --max-time 10 -o /dev/null "$form"; }

install() {
  curl -sS --fail --max-time 60 "$form?step=2" --data-urlencode 'weblog_title=Penstock lab' \
    --data-urlencode user_name=admin --data-urlencode admin_password=admin --data-urlencode admin_password2=admin \
    --data-urlencode pw_weak=on --data-urlencode admin_email=admin@example.com --data-urlencode blog_public=0 \
    --data-urlencode language=
}

wait_for 60 "WordPress behind 172.16.0.40" form_is_there
if ! answer=$(install) || [[ $answer != *'<h1>Success!</h1>'* ]]; then
  printf 'WordPress was not installed; its answer:\n%s\n' "$answer" >&2
  exit 1
fi
