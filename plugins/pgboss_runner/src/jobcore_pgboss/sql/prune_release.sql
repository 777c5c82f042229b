select jobcore.pgboss_prune_release(%b::text, %b::timestamptz)
