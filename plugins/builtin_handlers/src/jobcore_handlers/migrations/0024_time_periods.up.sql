-- The periods in which a tenant's people record their time, and the settings that say where each ends.
create table billing.time_period_settings (
    tenant uuid not null references billing.tenants (tenant),
    setting_id uuid not null default gen_random_uuid(),
    frequency smallint not null default 1 check (frequency between 1 and 366),
    frequency_unit text not null check (frequency_unit in ('day', 'week', 'month', 'year')),
    start_day smallint not null default 1,
    end_day smallint not null default 0,
    is_active boolean not null default true,
    effective_from date not null default '1970-01-01',
    effective_to date,
    primary key (tenant, setting_id),
    check (effective_to > effective_from),
    check (start_day >= 1 and end_day >= 0),
    check (frequency_unit <> 'week' or (start_day <= 7 and end_day <= 7)),
    check (frequency_unit <> 'month' or (start_day <= 31 and end_day <= 31)),
    check (frequency_unit <> 'year' or (start_day <= 366 and end_day <= 366))
);
comment on column billing.time_period_settings.start_day is
    'Of the week (1 is Monday), the month or the year: where the tenant''s first period begins.';
comment on column billing.time_period_settings.end_day is 'The last day of a period; 0 is the last one of the unit.';
comment on column billing.time_period_settings.effective_to is 'The day after the last one in force.';

create table billing.time_periods (
    tenant uuid not null references billing.tenants (tenant),
    period_id uuid not null default gen_random_uuid(),
    start_date date not null,
    end_date date not null,
    created_by_job uuid,
    created_at timestamptz not null default now(),
    primary key (tenant, period_id),
    unique (tenant, start_date),
    unique (tenant, end_date),
    check (end_date > start_date)
);
comment on column billing.time_periods.end_date is 'The day after the last one.';

select billing.keep_tenants_apart('billing.time_period_settings', 'billing.time_periods');
