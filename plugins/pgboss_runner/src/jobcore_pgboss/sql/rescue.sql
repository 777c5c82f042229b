select job_id, worker from jobcore.pgboss_rescue(%b::text[], %b::int4)
