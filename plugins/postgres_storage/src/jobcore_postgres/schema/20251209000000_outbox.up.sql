-- The outbox: jobs of engines that live outside of this database, from the transaction that accepts a job until its end is
-- written. A relay in every worker hands them over; what was handed over is looked after until it has ended.
create type jobcore.outbox_state as enum ('due', 'handed', 'ending');

-- `due`: to be handed over at `try_at`. `handed`: the engine has it; at `try_at` somebody looks whether it still does.
-- `ending`: the job of this epoch has ended here, or belongs to another engine now; this engine is to be told at `try_at`.
create table jobcore.outbox (
    tenant uuid not null,
    job_id uuid not null,
    epoch integer not null,
    runner_type text not null,
    state jobcore.outbox_state not null default 'due',
    rank smallint not null,
    try_at timestamptz not null,
    tries integer not null default 0,
    options jsonb,
    error text,
    primary key (tenant, job_id, epoch)
) with (fillfactor = 70);
comment on column jobcore.outbox.options is 'What the engine is told of the job beside its row, as the enqueue said it.';
create index outbox_due on jobcore.outbox (runner_type, rank, try_at) where state = 'due';
create index outbox_handed on jobcore.outbox (runner_type, try_at) where state = 'handed';
create index outbox_ending on jobcore.outbox (runner_type, try_at) where state = 'ending';

alter table jobcore.outbox enable row level security;
alter table jobcore.outbox force row level security;
create policy outbox_engine on jobcore.outbox to jobcore_worker, jobcore_owner using (true) with check (true);
create policy outbox_tenant on jobcore.outbox for select to jobcore_tenant using (tenant = jobcore.current_tenant());
grant select, insert, update, delete on jobcore.outbox to jobcore_worker;
grant select on jobcore.outbox to jobcore_tenant;

-- A function of each engine's own that takes a job which has not begun out of it, by tenant and id: it is to be moved.
alter table jobcore.engines add column leave text;
