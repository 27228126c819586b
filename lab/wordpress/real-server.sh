#!/usr/bin/env bash
# On each real server: the WordPress tree mounted at /wordpress, php-fpm on 127.0.0.1:9000, nginx before it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/wait_for.sh"
. "$here/require.sh"

# The kernel's NFS client where there is one.
mount_tree() {
  if grep -qw nfs /proc/filesystems || modprobe -q nfs 2>/dev/null; then
    mount -t nfs -o vers=3,nolock 172.16.0.34:/data/wordpress /wordpress
  else
    nfsmount 172.16.0.34:/data/wordpress /wordpress
  fi
}

start_php() {
  local programs=(/usr/sbin/php-fpm[0-9]*)
  local program=${programs[-1]} pools
  pools=/etc/php/${program#/usr/sbin/php-fpm}/fpm/pool.d
  mount -t tmpfs -o mode=0755 tmpfs "$pools"  # hides the machine's own
  cp "$here/php-fpm.conf" "$pools/wordpress.conf"
  mkdir -p /run/php
  "$program" --daemonize
}

require nginx /usr/sbin/php-fpm*
mkdir -p /wordpress
wait_for 30 "172.16.0.34:/data/wordpress" mount_tree
start_php
cp "$here/nginx.conf" /etc/nginx/conf.d/wordpress.conf
nginx
