-- The tables as the founding documents have them (S01 to S03, without the runner columns), with a row in each state.
create type job_status as enum ('pending', 'processing', 'completed', 'failed', 'active', 'queued');

create table jobs (
    tenant uuid not null,
    job_id uuid not null default gen_random_uuid(),
    type varchar(255) not null,
    metadata jsonb,
    status job_status not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    user_id uuid not null,
    primary key (tenant, job_id)
);

create table job_details (
    tenant uuid not null,
    detail_id uuid not null default gen_random_uuid(),
    job_id uuid not null,
    step_name varchar(255) not null,
    status varchar(255),
    result jsonb,
    processed_at timestamptz,
    retry_count integer default 0,
    metadata jsonb,
    primary key (tenant, detail_id),
    foreign key (tenant, job_id) references jobs (tenant, job_id)
);

insert into jobs (tenant, type, metadata, status, created_at, updated_at, user_id)
select '11111111-1111-4111-8111-111111111111', 'generate-invoice', jsonb_build_object('n', n), state,
    timestamptz '2024-02-03 04:05:06+00' + n * interval '1 hour', case when n % 2 = 0 then now() end, gen_random_uuid()
from unnest(enum_range(null::job_status)) with ordinality as states (state, n);

insert into job_details (tenant, job_id, step_name, status, result, processed_at, retry_count, metadata)
select tenant, job_id, 'step', 'failed', '{"error": "boom"}', now(), n, '{}'
from jobs, generate_series(1, 2) n
where status = 'failed';
