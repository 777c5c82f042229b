-- Each call on all workers to read their settings anew: they compare the last number with the last that they followed.
create table jobcore.reloads (
    number bigint generated always as identity primary key,
    called_by text,
    called_at timestamptz not null default now()
);

grant select, insert on jobcore.reloads to jobcore_worker;
