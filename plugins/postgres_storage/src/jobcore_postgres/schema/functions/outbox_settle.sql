-- Write how runs ended: a JSON array as `job_settle` takes it, each with its epoch. What does not run again, or has to be
-- admitted first, leaves the outbox.
create or replace function jobcore.outbox_settle(settlements jsonb)
returns table (ord integer, applied boolean, follow text, run_at timestamptz)
language plpgsql
as $$
#variable_conflict use_column
begin
    return query
        with settled as materialized (
            select s.* from jobcore.job_settle($1) s
        ),
        gone as (
            delete from jobcore.outbox o
            using settled s, rows from (
                jsonb_to_recordset($1) as (tenant uuid, job_id uuid, epoch integer)
            ) with ordinality as i (tenant, job_id, epoch, ord)
            where i.ord = s.ord
                and s.applied
                and s.follow <> 'queued'
                and o.tenant = i.tenant
                and o.job_id = i.job_id
                and o.epoch = i.epoch
        )
        select s.ord, s.applied, s.follow, s.run_at from settled s order by s.ord;
end
$$;
