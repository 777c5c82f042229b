-- Make ready in `jobs` what is not of these claims, and return those: jobs that Node sent get their rows; those that had
-- failed or were cancelled, as their rows tell, and that Node let run once more all the same, are opened again.
create or replace function jobcore.pgboss_welcome(claimed pgboss.job[]) returns pgboss.job[]
language plpgsql
as $$
declare
    strangers jsonb;
    again jsonb;
begin
    select
        jsonb_agg(jsonb_build_object('name', c.name, 'id', c.id)) filter (where b.status is null),
        jsonb_agg(jsonb_build_object('tenant', b.tenant, 'id', c.id)) filter (where b.status is not null)
    into strangers, again
    from unnest($1) c
    left join lateral (
        select j.tenant, j.status, j.error
        from public.jobs j
        where j.tenant = jobcore.pgboss_tenant(c.group_id, c.data) and j.job_id = c.id
        limit 1
    ) b on true
    where b.status is null or (b.status in ('failed', 'cancelled') and b.error is not null);

    perform jobcore.pgboss_adopt(strangers);
    perform jobcore.job_requeue(o.tenant, o.ids)
    from (
        select e.tenant, array_agg(e.id) as ids
        from jsonb_to_recordset(again) as e (tenant uuid, id uuid)
        group by e.tenant
    ) o;

    return array(
        select c
        from unnest($1) c
        where c.id in (
            select e.id from jsonb_to_recordset(coalesce(strangers, '[]') || coalesce(again, '[]')) as e (id uuid)));
end
$$;
