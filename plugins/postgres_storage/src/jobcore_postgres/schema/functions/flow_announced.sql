-- The queue, the flow control and the engine of a handler, as the youngest live worker that has it announced them; where none lives, the
-- youngest that is gone. No row if nobody ever told.
create or replace function jobcore.flow_announced(handler text) returns table (queue text, flow jsonb, engine jsonb)
language sql stable
as $$
    select t.queue, t.flow, t.engine
    from (
        select
            coalesce(w.details #>> array['queue_of', $1], $1), w.details #> array['flow_of', $1],
            w.details #> array['engine_of', $1], w.started_at, w.worker_id,
            w.seen_at >= statement_timestamp() - interval '1 minute'
        from jobcore.workers w
        where $1 = any (w.handlers)
        union all
        select a.queue, a.flow, a.engine, a.started_at, null, false
        from jobcore.announced a
        where a.handler = $1
    ) as t (queue, flow, engine, started_at, worker_id, lives)
    order by t.lives desc, t.started_at desc, t.worker_id desc nulls last
    limit 1
$$;
