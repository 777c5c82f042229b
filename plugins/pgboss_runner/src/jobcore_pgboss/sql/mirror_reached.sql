select jobcore.pgboss_mirror_reached(%b::timestamptz, %b::float8)
