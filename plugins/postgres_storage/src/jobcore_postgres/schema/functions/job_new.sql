-- Record new jobs, which must not bring their tenants over their quotas: `job_record`, and then `quota_guard`. It is called
-- before the jobs are in a queue.
create or replace function jobcore.job_new(jobs jsonb)
returns table (ord integer, job_id uuid, tenant uuid, inserted boolean, run_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
declare
    answers jsonb;
begin
    if not exists (select from jobcore.quotas) then
        return query select * from jobcore.job_record($1);
        return;
    end if;

    select coalesce(jsonb_agg(n), '[]') into answers from jobcore.job_record($1) n;
    perform jobcore.quota_guard(
        array_agg(a.tenant) filter (where e.element ->> 'fire_time' is null),
        array_agg(a.tenant) filter (where e.element ->> 'fire_time' is not null))
    from jsonb_to_recordset(answers) as a (ord integer, tenant uuid, inserted boolean)
    join jsonb_array_elements($1) with ordinality as e (element, ord) on e.ord = a.ord
    where a.inserted
    having count(*) > 0;
    return query
        select a.ord, a.job_id, a.tenant, a.inserted, a.run_at
        from jsonb_to_recordset(answers) as a (
            ord integer, job_id uuid, tenant uuid, inserted boolean, run_at timestamptz);
end
$$;
