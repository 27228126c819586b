
// A lab talks to nobody outside.
define( 'DISABLE_WP_CRON', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );

// It is opened by its virtual address within, and by whatever port is forwarded to it from without.
define( 'WP_HOME', 'http://' . ( $_SERVER['HTTP_HOST'] ?? '172.16.0.40' ) );
define( 'WP_SITEURL', WP_HOME );
