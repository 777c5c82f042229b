-- What workers that are gone had announced of their handlers, so that SQL knows their queues and limits while none lives.
-- `started_at` is the worker's. Not a tenant's business: the engine's role only.
create table jobcore.announced (
    handler text primary key,
    queue text not null,
    flow jsonb,
    started_at timestamptz not null
);

grant select, insert, update, delete on jobcore.announced to jobcore_worker;
