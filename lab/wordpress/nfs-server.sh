#!/usr/bin/env bash
# On the NFS server's host: exports /data/wordpress to 172.16.0.0/16. nfs-ganesha is a server in user space, so the kernel's abilities don't
# matter. Called again, it starts what is gone.
# nfs-server.sh [root_squash|all_squash|no_root_squash]
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/wait_for.sh"
. "$here/require.sh"
squash=${1:-root_squash}

# By its own address: only hosts of the export's network are shown it.
is_exported() { showmount -e 172.16.0.34 | grep '^/data/wordpress '; }

require rpcbind ganesha.nfsd showmount
if is_exported >/dev/null 2>&1; then exit 0; fi
rpcinfo -p 127.0.0.1 >/dev/null 2>&1 || rpcbind -w
mkdir -p /run/ganesha /var/lib/nfs/ganesha
sed "s/@squash@/$squash/" "$here/ganesha.conf" >/etc/ganesha/ganesha.conf
ganesha.nfsd -L /var/log/ganesha.log -f /etc/ganesha/ganesha.conf -p /run/ganesha.pid
wait_for 20 "the NFS export" is_exported
