-- The part of `job_new` that no quota refuses: a JSON array, one object a job; `ord` counts its elements from 1.
-- Keys: id, tenant, type, payload, queue, priority, run_at | delay_ms, max_attempts, user_id, metadata, dedupe_key,
-- singleton_key, schedule_id, fire_time, parent_job_id, trace_context, runner_type, external_id, status, admission.
-- A job that is here already (its id, its dedupe key held by a job that has not ended, its schedule's fire) is not made:
-- `job_id` is then the existing job's and `inserted` false. Times count from the database's clock.
create or replace function jobcore.job_record(jobs jsonb)
returns table (ord integer, job_id uuid, tenant uuid, inserted boolean, run_at timestamptz)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    wanted constant integer := jsonb_array_length($1);
    made_tenants uuid[] := '{}';
    made_ids uuid[] := '{}';
    new_tenants uuid[];
    new_ids uuid[];
begin
    -- A second round is needed only where a job that held a key ended between our insert and our look at it.
    for round in 1..5 loop
        with made as (
            insert into public.jobs (
                tenant, job_id, type, payload, queue, priority, run_at, max_attempts, allowed_attempts, user_id,
                metadata, dedupe_key, held_key, singleton_key, schedule_id, fire_time, parent_job_id, trace_context,
                runner_type, external_id, status, admission, created_at)
            select
                i.tenant, i.id, i.type, i.payload, coalesce(i.queue, i.type), coalesce(i.priority, 0),
                coalesce(
                    i.run_at, statement_timestamp() + i.delay_ms * interval '1 millisecond', statement_timestamp()),
                coalesce(i.max_attempts, 3), coalesce(i.max_attempts, 3),
                coalesce(i.user_id, '00000000-0000-0000-0000-000000000000'),
                coalesce(i.metadata, '{}'), i.dedupe_key, i.dedupe_key, i.singleton_key, i.schedule_id, i.fire_time,
                i.parent_job_id, i.trace_context, coalesce(i.runner_type, 'pgboss'), i.external_id,
                coalesce(i.status, 'pending'), i.admission, statement_timestamp()
            from rows from (
                jsonb_to_recordset($1) as (
                    id uuid, tenant uuid, type text, payload jsonb, queue text, priority integer, run_at timestamptz,
                    delay_ms double precision, max_attempts integer, user_id uuid, metadata jsonb, dedupe_key text,
                    singleton_key text, schedule_id uuid, fire_time timestamptz, parent_job_id uuid,
                    trace_context jsonb, runner_type text, external_id text, status public.job_status,
                    admission jsonb)
            ) with ordinality as i (
                id, tenant, type, payload, queue, priority, run_at, delay_ms, max_attempts, user_id, metadata,
                dedupe_key, singleton_key, schedule_id, fire_time, parent_job_id, trace_context, runner_type,
                external_id, status, admission, ord)
            -- One order for all who insert at once; of two with one key, the first in the array is made.
            order by i.tenant, i.dedupe_key nulls first, i.schedule_id nulls first, i.fire_time,
                case when i.dedupe_key is null and i.schedule_id is null then i.id end, i.ord
            on conflict do nothing
            returning tenant, job_id
        )
        select coalesce(array_agg(made.tenant), '{}'), coalesce(array_agg(made.job_id), '{}')
        into new_tenants, new_ids
        from made;

        if round = 1 and cardinality(new_ids) = wanted then
            return query
                select i.ord::integer, i.id, i.tenant, true,
                    coalesce(
                        i.run_at, statement_timestamp() + i.delay_ms * interval '1 millisecond', statement_timestamp())
                from rows from (
                    jsonb_to_recordset($1) as (id uuid, tenant uuid, run_at timestamptz, delay_ms double precision)
                ) with ordinality as i (id, tenant, run_at, delay_ms, ord);
            return;
        end if;

        made_tenants := made_tenants || new_tenants;
        made_ids := made_ids || new_ids;
        if jobcore.job_new_complete($1) then
            return query select * from jobcore.job_new_outcome($1, made_tenants, made_ids);
            return;
        end if;
    end loop;
    raise exception using
        errcode = 'serialization_failure',
        message = 'the jobs that hold these dedupe keys kept ending while new ones were made',
        hint = 'Enqueue again.';
end
$$;
