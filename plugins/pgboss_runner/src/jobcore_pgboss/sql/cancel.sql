select jobcore.pgboss_cancel(%b::uuid, %b::uuid, %b::text, %b::text)
