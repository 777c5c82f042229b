-- Delete the rows of these workers, and keep what they announced of their handlers, unless a younger one's is kept already.
create or replace function jobcore.worker_forget(workers uuid[]) returns void
language sql
as $$
    with gone as (
        delete from jobcore.workers w
        where w.worker_id = any ($1)
        returning w.worker_id, w.handlers, w.details, w.started_at
    )
    insert into jobcore.announced as a (handler, queue, flow, engine, started_at)
    select distinct on (h.handler)
        h.handler, coalesce(g.details #>> array['queue_of', h.handler], h.handler),
        g.details #> array['flow_of', h.handler], g.details #> array['engine_of', h.handler], g.started_at
    from gone g
    cross join unnest(g.handlers) as h (handler)
    order by h.handler, g.started_at desc, g.worker_id desc
    on conflict (handler) do update
    set queue = excluded.queue, flow = excluded.flow, engine = excluded.engine, started_at = excluded.started_at
    where excluded.started_at >= a.started_at
$$;
