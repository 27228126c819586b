#!/usr/bin/env bash
# On the database's host: MariaDB with the database `wpdb` for `wpuser`. Called again, it starts the server that is gone on the data that is
# there.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/wait_for.sh"
. "$here/require.sh"

make_data() {
  mount -t tmpfs -o mode=0755 tmpfs /var/lib/mysql  # hides the machine's own
  chown mysql:mysql /var/lib/mysql
  mariadb-install-db --user=mysql --skip-test-db --auth-root-authentication-method=socket >/dev/null
}

start() {
  setsid mariadbd --user=mysql >>/var/log/mariadbd.log 2>&1 </dev/null &
  wait_for 30 "the database server" mariadb-admin ping
}

make_wordpress_database() {
  mariadb <<'SQL'
create database wpdb;
grant all on wpdb.* to wpuser@`172.16.%` identified by "123456";
flush privileges;
SQL
}

require mariadbd mariadb-install-db
if mariadb-admin ping >/dev/null 2>&1; then exit 0; fi
mountpoint -q /etc/mysql/mariadb.conf.d || mount -t tmpfs -o mode=0755 tmpfs /etc/mysql/mariadb.conf.d
cp "$here/mariadb.cnf" /etc/mysql/mariadb.conf.d/wordpress.cnf
install -d -o mysql -g mysql /run/mysqld
if mountpoint -q /var/lib/mysql; then
  start
else
  make_data
  start
  make_wordpress_database
fi
