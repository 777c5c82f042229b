-- Several statements, for one transaction: the ledger of migrations and that of functions.
create schema if not exists jobcore;
create table if not exists jobcore.migrations (
    component text not null,
    version text not null,
    name text not null,
    applied_at timestamptz not null default now(),
    checksum text not null,
    primary key (component, version)
);
create table if not exists jobcore.functions (
    component text not null,
    name text not null,
    checksum text not null,
    primary key (component, name)
);
