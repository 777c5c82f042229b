-- Write how attempts ended: a JSON array of {tenant, job_id, attempt, token, epoch?, outcome, result, error, run_at_ms,
-- started_at, duration_ms, worker}; `ord` counts its elements from 1. `follow` is the job's state afterwards.
-- The fence: the job has not ended; the epoch, if given, is the job's; the attempt is later than the stored one (its claim
-- was never written) or equal with the token that holds the job. A null token leaves the token out of it, for callers
-- whose own fence has decided; a null attempt means the stored one. `run_at_ms` counts from now to the next run.
-- One update, HOT for jobs without a dedupe key; rows are locked in the order of (tenant, job_id), see `job_claim`.
create or replace function jobcore.job_settle(settlements jsonb)
returns table (ord integer, applied boolean, follow text, run_at timestamptz, max_attempts integer)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set random_page_cost = 4  -- the defaults, whatever the caller has set for statements of its own
set cpu_index_tuple_cost = 0.005
as $$
#variable_conflict use_column
begin
    return query
        with given as materialized (
            select i.*
            from rows from (
                jsonb_to_recordset($1) as (
                    tenant uuid, job_id uuid, attempt integer, token text, epoch integer, outcome text, result jsonb,
                    error jsonb, run_at_ms double precision, started_at timestamptz, duration_ms double precision,
                    worker uuid)
            ) with ordinality as i (
                tenant, job_id, attempt, token, epoch, outcome, result, error, run_at_ms, started_at, duration_ms,
                worker, ord)
            order by i.tenant, i.job_id
        ),
        settled as (
            update public.jobs j
            set status = jobcore.job_follow(
                    g.outcome, j.cancel_requested, coalesce(g.attempt, j.attempt) < j.max_attempts, j.rescues,
                    j.admission is not null),
                attempt = case
                    when g.outcome in ('snoozed', 'released') then greatest(coalesce(g.attempt, j.attempt) - 1, 0)
                    else coalesce(g.attempt, j.attempt)
                end,
                max_attempts = j.max_attempts + (g.outcome = 'lost' and j.rescues < 5)::integer,
                rescues = j.rescues + (g.outcome = 'lost')::integer,
                result = case when g.outcome = 'completed' then g.result else j.result end,
                error = case
                    when g.outcome = 'completed' then null
                    when g.outcome = 'failed' then g.error
                    when g.outcome = 'cancelled' then coalesce(g.error, j.cancel_requested - 'at')
                    when j.cancel_requested is not null then j.cancel_requested - 'at'
                    when g.outcome in ('retry', 'lost') then g.error
                    else j.error
                end,
                run_at = case
                    when g.outcome in ('completed', 'failed', 'cancelled') then j.run_at
                    else statement_timestamp() + coalesce(g.run_at_ms, 0) * interval '1 millisecond'
                end,
                progress = case when g.outcome = 'completed' then 100 else j.progress end,
                started_at = coalesce(g.started_at, j.started_at),
                completed_at = case
                    when jobcore.job_follow(
                        g.outcome, j.cancel_requested, coalesce(g.attempt, j.attempt) < j.max_attempts, j.rescues, false)
                        = 'queued' then null
                    else statement_timestamp()
                end,
                held_key = case
                    when jobcore.job_follow(
                        g.outcome, j.cancel_requested, coalesce(g.attempt, j.attempt) < j.max_attempts, j.rescues, false)
                        = 'queued' then j.held_key
                end,
                lease_token = null,
                worker_id = coalesce(g.worker, j.worker_id),
                updated_at = statement_timestamp()
            from given g
            where j.tenant = g.tenant
                and j.job_id = g.job_id
                -- One expression, of which the planner does not believe that it leaves few rows: it would begin with them.
                and case
                    when j.status in ('pending', 'queued', 'active', 'processing')
                        and (g.epoch is null or j.epoch = g.epoch)
                        and (
                            g.attempt is null
                            or j.attempt < g.attempt
                            or (j.attempt = g.attempt and (g.token is null or j.lease_token = g.token)))
                        and not (j.status = 'pending' and g.outcome = 'completed')  -- the only illegal move that is left
                    then true
                    else false
                end
            returning g.ord, j.tenant, j.job_id, g.outcome, j.attempt, g.error, j.status::text as follow, j.run_at,
                j.max_attempts, j.started_at, g.duration_ms, j.worker_id, j.admission is not null as gated
        ),
        told as (
            insert into public.job_details (
                tenant, job_id, slot, step_name, status, result, processed_at, retry_count, metadata)
            select s.tenant, s.job_id, 'attempt:' || s.attempt, 'attempt ' || s.attempt,
                case s.outcome when 'lost' then 'lost' else 'failed' end, s.error, statement_timestamp(),
                greatest(s.attempt - 1, 0),
                jsonb_strip_nulls(jsonb_build_object(
                    'started_at', s.started_at, 'duration_ms', s.duration_ms, 'worker', s.worker_id))
            from settled s
            where s.outcome in ('failed', 'retry', 'lost')
            on conflict (tenant, job_id, slot) do nothing
        ),
        ended as (
            select jobcore.job_ended(array_agg(s.tenant), array_agg(s.job_id), bool_or(s.gated))
            from settled s
            where s.follow <> 'queued'
            having count(*) > 0
        )
        select a.ord::integer, bool_or(a.applied), max(a.follow), max(a.run_at), max(a.max_attempts)
        from (
            select s.ord, true, s.follow, s.run_at, s.max_attempts from settled s
            union all
            select g.ord, false, null, null, null from given g
        ) a (ord, applied, follow, run_at, max_attempts)
        where (select count(*) from ended) >= 0  -- which tells of them
        group by a.ord
        order by a.ord;
end
$$;
