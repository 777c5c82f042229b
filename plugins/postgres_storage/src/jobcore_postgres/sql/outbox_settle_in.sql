select applied::text from jobcore.outbox_settle_tenant_or_engine(cast(cast($1 as text) as jsonb))
