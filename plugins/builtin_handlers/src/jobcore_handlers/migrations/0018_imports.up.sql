-- Assets, and the files by which people bring them in. Run again, an import finds its rows here and adds none twice.
alter table billing.tenants add column default_client_id uuid;
alter table billing.tenants add constraint tenants_default_client
    foreign key (tenant, default_client_id) references billing.clients (tenant, client_id);
comment on column billing.tenants.default_client_id is 'Whose assets are those that are imported for nobody in particular.';

create table billing.assets (
    tenant uuid not null,
    asset_id uuid not null,
    client_id uuid not null,
    name text not null check (length(name) between 1 and 255),
    asset_type text not null,
    asset_tag text not null,
    serial_number text,
    mac_address text,
    ip_address inet,
    purchase_date date,
    warranty_end_date date,
    created_by uuid,
    created_at timestamptz not null default now(),
    -- Row-level security lets an index serve a plain column only, not lower(name).
    name_key text collate "C" not null generated always as (lower(name)) stored,
    name_prefix text collate "C" not null generated always as (left(lower(name), 3)) stored,
    primary key (tenant, asset_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id)
);
create index assets_by_serial_number on billing.assets (tenant, serial_number);
create index assets_by_asset_tag on billing.assets (tenant, asset_tag);
create index assets_by_mac_address on billing.assets (tenant, mac_address);
create index assets_by_name on billing.assets (tenant, name_prefix, name_key);

create table billing.import_sources (
    tenant uuid not null references billing.tenants (tenant),
    import_source_id uuid not null,
    name text not null,
    field_mapping jsonb,
    default_client_id uuid,
    primary key (tenant, import_source_id),
    foreign key (tenant, default_client_id) references billing.clients (tenant, client_id)
);
comment on column billing.import_sources.field_mapping is 'From a field of an asset to the header of its column.';

create table billing.import_jobs (
    tenant uuid not null,
    import_job_id uuid not null,
    import_source_id uuid not null,
    status text not null default 'preview' check (
        status in ('preview', 'validating', 'processing', 'completed', 'failed', 'cancelled')
    ),
    context jsonb not null,
    total_rows integer,
    processed_rows integer not null default 0,
    created_rows integer not null default 0,
    duplicate_rows integer not null default 0,
    error_rows integer not null default 0,
    last_row integer not null default 1,
    error_summary jsonb,
    error text,
    run_job_id uuid,
    run_attempt integer,
    created_by uuid,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    completed_at timestamptz,
    primary key (tenant, import_job_id),
    foreign key (tenant, import_source_id) references billing.import_sources (tenant, import_source_id)
);
comment on column billing.import_jobs.last_row is 'Up to which row of the file everything is done; the header is row 1.';
comment on column billing.import_jobs.run_attempt is 'With run_job_id, the one run that may write.';

create table billing.import_job_items (
    tenant uuid not null,
    import_job_id uuid not null,
    row_number integer not null,
    status text not null check (status in ('staged', 'created', 'updated', 'duplicate', 'error')),
    asset_id uuid,
    matched_by text,
    likeness numeric(4, 3),
    errors text[] not null default '{}',
    source_data jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant, import_job_id, row_number),
    foreign key (tenant, import_job_id) references billing.import_jobs (tenant, import_job_id) on delete cascade
);
comment on column billing.import_job_items.asset_id is 'The asset that was created, or that there was already.';

create table billing.external_entity_mappings (
    tenant uuid not null,
    import_source_id uuid not null,
    external_id text not null,
    asset_id uuid not null,
    row_sha256 text not null,
    import_job_id uuid not null,
    updated_at timestamptz not null default now(),
    primary key (tenant, import_source_id, external_id),
    foreign key (tenant, import_source_id)
        references billing.import_sources (tenant, import_source_id) on delete cascade,
    foreign key (tenant, asset_id) references billing.assets (tenant, asset_id) on delete cascade
);
create index external_entity_mappings_by_asset on billing.external_entity_mappings (tenant, asset_id);

select billing.keep_tenants_apart(
    'billing.assets', 'billing.import_sources', 'billing.import_jobs', 'billing.import_job_items',
    'billing.external_entity_mappings'
);
