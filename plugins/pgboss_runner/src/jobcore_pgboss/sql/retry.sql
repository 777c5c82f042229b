select jobcore.pgboss_retry(%b::uuid, %b::uuid)
