-- What we know of a queue beside pg-boss's own row: ours, so that no upgrade of pg-boss can lose it.
-- A queue without a row here was made by Node, and keeps its ended rows for pg-boss's retention.
create table jobcore.pgboss_queues (
    name text primary key,
    delete_ended boolean not null,
    created_at timestamptz not null default now()
);
comment on column jobcore.pgboss_queues.delete_ended is
    'Whether ended queue rows go at once: the jobs table is the archive. Never so for throttled and blocking rows.';

grant select, insert, update, delete on jobcore.pgboss_queues to jobcore_worker;

set local role none;  -- a schema that Node made belongs to Node's login
grant usage on schema pgboss to jobcore_worker, jobcore_owner;
grant select, insert, update, delete on all tables in schema pgboss to jobcore_worker, jobcore_owner;
