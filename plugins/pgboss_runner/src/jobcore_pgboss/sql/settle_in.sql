select applied from jobcore.pgboss_settle_tenant_or_engine(%b::jsonb)
