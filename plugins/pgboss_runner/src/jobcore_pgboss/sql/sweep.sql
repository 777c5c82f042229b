select job_id, queue from jobcore.pgboss_sweep(%b::text, %b::text[], %b::int4)
