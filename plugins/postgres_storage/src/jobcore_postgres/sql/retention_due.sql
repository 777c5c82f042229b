select tenant, state, keep_ms, since::text as since from jobcore.retention_due(%s::jsonb, make_interval(secs => %s))
