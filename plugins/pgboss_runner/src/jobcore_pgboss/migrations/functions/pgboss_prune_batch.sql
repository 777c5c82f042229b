-- Delete what one queue keeps too long, among its next `lim` keys after `after`: ended rows past their deletion_seconds,
-- and waiting ones past their keep_until. Their jobs are told first. Rows that somebody holds stay for the next pass.
-- `walked_to` is the last key seen, null at the end of the queue; no row at all if the queue is gone.
create or replace function jobcore.pgboss_prune_batch(
    queue text, after uuid, lim integer, retained_before timestamptz
)
returns table (walked_to uuid, deleted integer, retained integer)
language plpgsql
as $$
#variable_conflict use_column
declare
    begin_at constant uuid := coalesce($2, '00000000-0000-0000-0000-000000000000');
    end_at uuid;
    its jsonb;
    doomed uuid[];
    counted integer;
begin
    select to_jsonb(q) into its from pgboss.queue q where q.name = $1;
    if its is null then
        return;
    end if;
    perform pg_advisory_xact_lock(jobcore.pgboss_lock_key((its ->> 'table_name') || 'deletion'));

    select j.id into end_at
    from pgboss.job j
    where j.name = $1 and j.id > begin_at
    order by j.id
    offset $3 - 1
    limit 1;

    select array_agg(l.id) into doomed
    from (
        select j.id
        from pgboss.job j
        where j.name = $1
            and j.id > begin_at
            and j.id <= coalesce(end_at, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            and (
                j.deletion_seconds > 0
                and j.completed_on + j.deletion_seconds * interval '1 second' < pgboss.job_now()
                or j.state < 'active' and j.keep_until < pgboss.job_now())
        order by j.id
        for update skip locked
    ) l;
    if doomed is not null then
        perform jobcore.pgboss_record_ends($1, doomed);
        select count(*) into counted
        from pgboss.job j
        where j.name = $1
            and j.id = any (doomed)
            and j.state in ('completed', 'cancelled')
            and j.completed_on <= (its ->> 'retained_on')::timestamptz;
        delete from pgboss.job j where j.name = $1 and j.id = any (doomed);
        if its ? 'retained_count' then  -- since version 46
            update pgboss.queue q
            set retained_count = greatest(q.retained_count - counted, 0),
                total_count = greatest(q.total_count - cardinality(doomed), 0)
            where q.name = $1;
        end if;
    end if;

    return query
        select end_at, coalesce(cardinality(doomed), 0), count(*)::integer
        from pgboss.job j
        where j.name = $1
            and j.id > begin_at
            and j.id <= coalesce(end_at, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            and j.state in ('completed', 'cancelled')
            and j.completed_on <= $4;
end
$$;
