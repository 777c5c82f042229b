-- The answer of `job_new` where not every job was made: which were, and the ids of the others that stand for them.
create or replace function jobcore.job_new_outcome(jobs jsonb, made_tenants uuid[], made_ids uuid[])
returns table (ord integer, job_id uuid, tenant uuid, inserted boolean, run_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
begin
    return query
        select i.ord::integer, e.job_id, i.tenant,
            m.job_id is not null and row_number() over (partition by i.tenant, i.id order by i.ord) = 1,
            e.run_at
        from rows from (
            jsonb_to_recordset($1) as (
                id uuid, tenant uuid, type text, dedupe_key text, schedule_id uuid, fire_time timestamptz)
        ) with ordinality as i (id, tenant, type, dedupe_key, schedule_id, fire_time, ord)
        left join unnest(made_tenants, made_ids) as m (tenant, job_id) on m.tenant = i.tenant and m.job_id = i.id
        cross join lateral jobcore.job_new_existing(
            i.tenant, i.id, i.type, i.dedupe_key, i.schedule_id, i.fire_time) e
        order by i.ord;
end
$$;
