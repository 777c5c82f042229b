-- Keys for the API. A job of the system tenant may list the tenants, so that it can do its work for each of them.
create table billing.api_keys (
    tenant uuid not null references billing.tenants (tenant),
    api_key_id uuid not null default gen_random_uuid(),
    user_id uuid,
    purpose text not null default 'general',
    key_hash text not null,
    active boolean not null default true,
    usage_limit integer check (usage_limit > 0),
    usage_count integer not null default 0 check (usage_count >= 0),
    metadata jsonb not null default '{}' check (jsonb_typeof(metadata) = 'object'),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    primary key (tenant, api_key_id),
    unique (tenant, key_hash),
    foreign key (tenant, user_id) references billing.users (tenant, user_id) on delete cascade
);
comment on column billing.api_keys.purpose is 'ai_session: made for one session of an assistant, and short-lived.';
create index api_keys_of_sessions on billing.api_keys (tenant, expires_at) where purpose = 'ai_session' and active;

select billing.keep_tenants_apart('billing.api_keys');

create policy system_lists_tenants on billing.tenants for select to jobcore_tenant using (
    nullif(current_setting('jobcore.tenant', true), '')::uuid = '00000000-0000-0000-0000-000000000000'
);
