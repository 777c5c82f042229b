select granted, cancel_requested from jobcore.job_claim(%b::jsonb, %b::uuid) order by ord
