-- The workers that live, and which handlers they have. Not a tenant's business: the engine's role only.
create table jobcore.workers (
    worker_id uuid primary key,
    runner_type text not null,
    host text not null,
    pid integer not null,
    handlers text[] not null,
    queues text[] not null,
    concurrency integer not null,
    started_at timestamptz not null default now(),
    seen_at timestamptz not null default now(),
    stopping boolean not null default false,
    details jsonb not null default '{}'
) with (fillfactor = 50);
