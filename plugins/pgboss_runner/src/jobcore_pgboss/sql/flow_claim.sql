select jobcore.pgboss_flow_claim(%b::float8)
