-- What the payload of each handler looked like in each version, as the last worker that was of it says.
-- Not a tenant's business: the engine's role only.
create table jobcore.payload_schemas (
    handler text not null,
    version integer not null check (version >= 1),
    schema jsonb not null,
    recorded_at timestamptz not null default now(),
    primary key (handler, version)
);

grant select, insert, update, delete on jobcore.payload_schemas to jobcore_worker;
