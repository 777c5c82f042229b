select jobcore.pgboss_prune_counted(%b::text, %b::int4, %b::timestamptz)
