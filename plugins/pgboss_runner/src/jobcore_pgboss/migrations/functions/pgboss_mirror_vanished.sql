-- Walk on through `jobs` by up to `lim` rows, and note the jobs whose queue rows are gone though they have not ended;
-- cancel those that were noted a grace (seconds) ago and are still without. Returns the cancelled ones. A queue row is
-- looked for in an order that only the key has, whatever the planner believes of the table.
create or replace function jobcore.pgboss_mirror_vanished(lim integer, grace_seconds double precision)
returns table (job_id uuid)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set enable_sort = off
as $$
#variable_conflict use_column
declare
    its jobcore.pgboss_mirror;
    tenants uuid[];
    ids uuid[];
    gone jsonb;
begin
    select * into its from jobcore.pgboss_mirror m for no key update;
    select array_agg(p.tenant order by p.tenant, p.job_id), array_agg(p.job_id order by p.tenant, p.job_id)
    into tenants, ids
    from (
        select b.tenant, b.job_id
        from public.jobs b
        where (b.tenant, b.job_id) > (
            coalesce(its.walked_tenant, '00000000-0000-0000-0000-000000000000'),
            coalesce(its.walked_job, '00000000-0000-0000-0000-000000000000'))
        order by b.tenant, b.job_id
        limit $1
    ) p;
    update jobcore.pgboss_mirror
    set walked_tenant = case when cardinality(ids) = $1 then tenants[$1] end,
        walked_job = case when cardinality(ids) = $1 then ids[$1] end;

    insert into jobcore.pgboss_vanished (tenant, job_id, seen_on)
    select b.tenant, b.job_id, statement_timestamp()
    from unnest(tenants, ids) as p (tenant, job_id)
    join public.jobs b on b.tenant = p.tenant and b.job_id = p.job_id
    where b.status in ('queued', 'active', 'processing')
        and b.runner_type = 'pgboss'
        and not exists (
            select from pgboss.job j where j.name = b.queue and j.id between b.job_id and b.job_id order by j.id offset 0)
    on conflict do nothing;

    delete from jobcore.pgboss_vanished v
    where not exists (
        select
        from public.jobs b
        where b.tenant = v.tenant
            and b.job_id = v.job_id
            and b.status in ('queued', 'active', 'processing')
            and b.runner_type = 'pgboss'
            and not exists (
                select from pgboss.job j where j.name = b.queue and j.id between b.job_id and b.job_id order by j.id offset 0)
        offset 0);

    with due as (
        delete from jobcore.pgboss_vanished v
        where v.seen_on <= statement_timestamp() - $2 * interval '1 second'
        returning v.tenant, v.job_id
    )
    select jsonb_agg(jsonb_build_object(
        'tenant', d.tenant, 'job_id', d.job_id, 'outcome', 'cancelled',
        'error', jsonb_build_object('reason', 'deleted in pg-boss')))
    into gone
    from due d;
    if gone is null then
        return;
    end if;
    return query
        select (gone -> s.ord - 1 ->> 'job_id')::uuid from jobcore.job_settle(gone) s where s.applied;
end
$$;
