select held, cancel_requested from jobcore.outbox_leases(%s::jsonb) order by ord
