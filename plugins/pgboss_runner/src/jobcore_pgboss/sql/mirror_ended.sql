select jobcore.pgboss_mirror_ended(%b::timestamptz, %b::timestamptz, %b::int4)
