-- The channel on which pg-boss tells of new work: one for each schema, derived as Node derives it.
create or replace function jobcore.pgboss_channel() returns text
language sql immutable parallel safe
as $$ select 'pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24) $$;
