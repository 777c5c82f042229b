select applied, follow, run_at - clock_timestamp() as wait from jobcore.outbox_settle(%s::jsonb) order by ord
