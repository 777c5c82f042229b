select jobcore.pgboss_flow_resolve(%b::int4)
