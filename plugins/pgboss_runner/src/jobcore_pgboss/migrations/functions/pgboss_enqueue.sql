-- Accept jobs: their rows in `jobs` and in the queue, and one notification for each queue that has work to do now.
-- A JSON array as `job_new` takes it, with retry_limit, retry_delay (seconds), retry_backoff, retry_delay_max (seconds),
-- expire_seconds and heartbeat_seconds beside. A job with an `admission`, or that a pause holds up, is `pending`, and gets
-- its queue row when it is admitted. Those with an `on_conflict` are taken one by one, in the order of their keys. The
-- answers stand in the order of the array.
create or replace function jobcore.pgboss_enqueue(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    wanted jsonb := $1;
    now_ords integer[];
    later_ords integer[];
    now_jobs jsonb;
    later_jobs jsonb;
    answers jsonb := '[]';
begin
    if $1 @? '$[*].on_conflict' then
        return query select * from jobcore.job_enqueue_mixed($1, 'jobcore.pgboss_enqueue');
        return;
    end if;
    if exists (select from jobcore.pauses) then
        wanted := jobcore.admission_hold(wanted);
    end if;
    if not wanted @? '$[*] ? (@.status == "pending")' then
        return query select * from jobcore.pgboss_enqueue_now(wanted);
        return;
    end if;

    select
        array_agg(e.ord order by e.ord) filter (where e.element ->> 'status' is distinct from 'pending'),
        array_agg(e.ord order by e.ord) filter (where e.element ->> 'status' = 'pending'),
        jsonb_agg(e.element order by e.ord) filter (where e.element ->> 'status' is distinct from 'pending'),
        jsonb_agg(e.element order by e.ord) filter (where e.element ->> 'status' = 'pending')
    into now_ords, later_ords, now_jobs, later_jobs
    from jsonb_array_elements(wanted) with ordinality as e (element, ord);

    -- Those that wait come after the others, which may be their parents.
    if now_jobs is not null then
        select jsonb_agg(jsonb_build_object('ord', now_ords[n.ord], 'job_id', n.job_id, 'inserted', n.inserted))
        into answers
        from jobcore.pgboss_enqueue_now(now_jobs) n;
    end if;
    select answers
        || jsonb_agg(jsonb_build_object('ord', later_ords[n.ord], 'job_id', n.job_id, 'inserted', n.inserted))
    into answers
    from jobcore.pgboss_enqueue_later(later_jobs) n;

    return query
        select a.ord, a.job_id, a.inserted
        from jsonb_to_recordset(answers) as a (ord integer, job_id uuid, inserted boolean)
        order by a.ord;
end
$$;
