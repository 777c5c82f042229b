select queue, claimed_on from jobcore.pgboss_prune_due(%b::text[], %b::float8)
