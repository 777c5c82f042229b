select * from jobcore.tenant_new(%s::jsonb)
