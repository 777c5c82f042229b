-- Find places for jobs of stately queues that are to run again: such a queue holds one job of a key in each state. They wait
-- as `retry`. Where another one of the key does, one that has used no attempt waits as `created`; else it fails, as in Node.
-- Takes settlements as `pgboss_settle` does, and answers them with `state` beside or another outcome.
create or replace function jobcore.pgboss_seat(settlements jsonb) returns jsonb
language sql stable
as $$
    select jsonb_agg(
        e.element || case
            when not t.is_stately or not t.retries then '{}'
            when e.element ->> 'outcome' <> 'retry' and not t.waits then '{"state": "created"}'
            else jsonb_build_object('outcome', 'failed', 'error', coalesce(e.element -> 'error', jsonb_build_object(
                'type', 'NoPlaceError', 'message', 'other jobs of its key wait in this stately queue')))
        end
        order by e.ord)
    from jsonb_array_elements($1) with ordinality as e (element, ord)
    cross join lateral (
        select
            coalesce(bool_or(
                j.policy = 'stately' and e.element ->> 'outcome' in ('retry', 'lost', 'snoozed', 'released')), false),
            coalesce(bool_or(o.state = 'retry'), false),
            coalesce(bool_or(o.state = 'created'), false)
        from pgboss.job j
        left join pgboss.job o
            on o.name = j.name
            and o.policy = 'stately'
            and o.state < 'active'
            and coalesce(o.singleton_key, '') = coalesce(j.singleton_key, '')
        where j.name = e.element ->> 'queue' and j.id = (e.element ->> 'job_id')::uuid
    ) t (is_stately, retries, waits)
$$;
