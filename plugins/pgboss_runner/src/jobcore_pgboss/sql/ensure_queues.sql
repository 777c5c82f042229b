select jobcore.pgboss_ensure_queues(%b::jsonb)
