select job_id from jobcore.pgboss_mirror_vanished(%b::int4, %b::float8)
