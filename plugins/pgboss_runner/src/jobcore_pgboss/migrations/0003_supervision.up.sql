-- What the mirror remembers of pg-boss's queue, and which jobs it misses there: ours, in our schema.
create table jobcore.pgboss_mirror (
    only_row boolean primary key default true check (only_row),
    claimed_on timestamptz,
    ended_to timestamptz not null default now(),
    walked_tenant uuid,
    walked_job uuid
) with (fillfactor = 50);
comment on table jobcore.pgboss_mirror is
    'How far the ends of jobs that Node worked are written into jobs, and how far the walk for vanished queue rows went.';
comment on column jobcore.pgboss_mirror.claimed_on is 'When a worker last took a pass: one wins an interval.';
insert into jobcore.pgboss_mirror default values;

create table jobcore.pgboss_vanished (
    tenant uuid not null,
    job_id uuid not null,
    seen_on timestamptz not null default now(),
    primary key (tenant, job_id)
);
comment on table jobcore.pgboss_vanished is
    'Jobs that have not ended and whose queue rows are gone: cancelled after a grace, unless they come back.';

alter table jobcore.pgboss_vanished enable row level security;
alter table jobcore.pgboss_vanished force row level security;
create policy pgboss_vanished_engine on jobcore.pgboss_vanished to jobcore_worker, jobcore_owner
    using (true) with check (true);

grant select, insert, update, delete on jobcore.pgboss_mirror, jobcore.pgboss_vanished to jobcore_worker;

-- Tables that Node's upgrades added since we attached; those that another login owns are its business to grant.
set local role none;
do $$
declare
    its_table regclass;
begin
    for its_table in
        select c.oid
        from pg_class c
        where c.relnamespace = 'pgboss'::regnamespace
            and c.relkind in ('r', 'p')
            and pg_has_role(current_user, c.relowner, 'usage')
    loop
        execute format(
            'grant select, insert, update, delete on %s to jobcore_worker, jobcore_owner', its_table);
    end loop;
end
$$;
