-- Note until when all ends are written. The next pass looks again at the last `overlap` seconds: an end that was stamped
-- before it may have been committed after.
create or replace function jobcore.pgboss_mirror_reached(until timestamptz, overlap double precision) returns void
language sql
as $$ update jobcore.pgboss_mirror m set ended_to = greatest(m.ended_to, $1 - $2 * interval '1 second') $$;
