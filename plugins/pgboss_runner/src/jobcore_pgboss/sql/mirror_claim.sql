select since, until from jobcore.pgboss_mirror_claim(%b::float8)
