select jobcore.pgboss_add(%s::jsonb, %s::uuid[], %s::uuid[], %s::jsonb)
