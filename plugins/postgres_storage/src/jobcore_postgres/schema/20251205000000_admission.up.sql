-- Flow control: which jobs wait to be admitted to their engine, what holds them up, and what they hold. A job without
-- limits, parents or a pause has no row in any of these tables.
alter table public.jobs add column admission jsonb;
comment on column public.jobs.admission is
    'What the job has to pass before its engine gets it, and what that engine is then told; null for a plain job.';

create type jobcore.admission_state as enum ('blocked', 'later', 'due', 'paused');

-- One row a job that waits for its admission. `lane` names what it queues for: the jobs of a lane go in their order, and
-- the first says how many of them can be admitted at once at most (`width`).
create table jobcore.admissions (
    tenant uuid not null,
    job_id uuid not null,
    number bigint generated always as identity,
    type text not null,
    queue text not null,
    runner_type text not null,
    priority integer not null,
    state jobcore.admission_state not null,
    ready_at timestamptz not null,
    lane text not null,
    width integer not null,
    gates jsonb not null,
    primary key (tenant, job_id)
) with (fillfactor = 70);
create index admissions_due on jobcore.admissions (lane, priority desc, number) where state = 'due';
create index admissions_later on jobcore.admissions (ready_at) where state = 'later';
create index admissions_paused on jobcore.admissions (tenant) where state = 'paused';

-- What admitted jobs hold of limited gates.
create table jobcore.slots (
    tenant uuid not null,
    job_id uuid not null,
    gate text not null,
    taken_at timestamptz not null default statement_timestamp(),
    primary key (tenant, job_id, gate)
);
create index slots_by_gate on jobcore.slots (gate);

-- The token buckets of gates with a rate, as they stood when a job last passed.
create table jobcore.buckets (
    gate text primary key,
    tokens double precision not null,
    filled_at timestamptz not null
) with (fillfactor = 50);

-- Which job was made to wait for the end of which: for the admitter, until it is `settled`, and for the history of a flow.
-- `ended` is how the parent ended.
create table jobcore.dependencies (
    tenant uuid not null,
    parent_id uuid not null,
    child_id uuid not null,
    on_failure text not null check (on_failure in ('cancel', 'run', 'wait')),
    ended public.job_status,
    settled boolean not null default false,
    primary key (tenant, parent_id, child_id)
) with (fillfactor = 70);
create index dependencies_by_child on jobcore.dependencies (tenant, child_id);
create index dependencies_open on jobcore.dependencies (tenant, parent_id) where not settled;
create index dependencies_ended on jobcore.dependencies (tenant, child_id) where ended is not null and not settled;

-- What an operator has paused: a queue or a handler, for all tenants, or all jobs of a tenant, by its id.
create table jobcore.pauses (
    kind text not null check (kind in ('queue', 'handler', 'tenant')),
    name text not null,
    reason text,
    paused_by text,
    paused_at timestamptz not null default statement_timestamp(),
    primary key (kind, name)
);

-- Functions of each engine's own: how it takes admitted jobs in, a JSON array of {tenant, job_id}; whether one has not
-- begun, by tenant and id, which then stays so until the end of the transaction; and how it cancels one, by tenant, id,
-- reason and who.
create table jobcore.engines (
    runner_type text primary key,
    admit text not null,
    waits text not null,
    cancel text not null
);

-- Which job a dedupe key stood for last: for throttles, which look beyond its end.
create index jobs_by_dedupe_key on public.jobs (tenant, type, dedupe_key, created_at desc) where dedupe_key is not null;

alter table jobcore.admissions enable row level security;
alter table jobcore.admissions force row level security;
create policy admissions_engine on jobcore.admissions to jobcore_worker, jobcore_owner using (true) with check (true);
create policy admissions_tenant on jobcore.admissions for select to jobcore_tenant
    using (tenant = jobcore.current_tenant());

alter table jobcore.slots enable row level security;
alter table jobcore.slots force row level security;
create policy slots_engine on jobcore.slots to jobcore_worker, jobcore_owner using (true) with check (true);
create policy slots_tenant on jobcore.slots for select to jobcore_tenant using (tenant = jobcore.current_tenant());

alter table jobcore.dependencies enable row level security;
alter table jobcore.dependencies force row level security;
create policy dependencies_engine on jobcore.dependencies to jobcore_worker, jobcore_owner
    using (true) with check (true);
create policy dependencies_tenant on jobcore.dependencies for select to jobcore_tenant
    using (tenant = jobcore.current_tenant());

grant select, insert, update, delete
    on jobcore.admissions, jobcore.slots, jobcore.buckets, jobcore.dependencies, jobcore.pauses to jobcore_worker;
grant select on jobcore.admissions, jobcore.slots, jobcore.dependencies to jobcore_tenant;
grant select on jobcore.engines to jobcore_worker;
