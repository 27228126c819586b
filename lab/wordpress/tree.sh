#!/usr/bin/env bash
# On the NFS server's host: WordPress at /data/wordpress, from the distribution's package, configured as its own guide says.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/require.sh"
tree=/data/wordpress

require /usr/share/wordpress/wp-settings.php
# File handles need a file system that has them: an overlay, which a host's root is, has none.
mkdir -p /data
mount -t tmpfs -o mode=0755 tmpfs /data
# -L: the package links to files elsewhere. -a: old times, or PHP's cache would not trust the files yet.
cp -aL /usr/share/wordpress $tree
# The package's own configuration looks for files that this host has not.
rm -f $tree/wp-config.php $tree/.htaccess
sed -e 's/database_name_here/wpdb/' -e 's/username_here/wpuser/' -e 's/password_here/123456/' -e "s/'localhost'/'172.16.0.35'/" \
  -e "/^\$table_prefix/r $here/wp-config-lab.php" $tree/wp-config-sample.php >$tree/wp-config.php
# The one folder that WordPress writes to: uploads, by PHP's user on the real servers.
install -d -o www-data -g www-data $tree/wp-content/uploads
