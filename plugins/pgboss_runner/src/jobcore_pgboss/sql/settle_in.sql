select applied::text from jobcore.pgboss_settle_tenant_or_engine(cast(cast($1 as text) as jsonb))
