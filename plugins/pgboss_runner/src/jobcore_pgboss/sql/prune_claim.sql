select queue, claimed_on from jobcore.pgboss_prune_claim(%b::float8)
