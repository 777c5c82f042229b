select walked_to, deleted, retained from jobcore.pgboss_prune_batch(%b::text, %b::uuid, %b::int4, %b::timestamptz)
