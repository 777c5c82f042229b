select tenant, state, keep_ms from jobcore.retention_rules(%s::jsonb)
