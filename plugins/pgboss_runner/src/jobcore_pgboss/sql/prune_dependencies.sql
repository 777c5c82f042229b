select jobcore.pgboss_prune_dependencies(%b::text, %b::int4)
