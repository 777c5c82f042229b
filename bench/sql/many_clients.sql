-- One tenant and so many clients, each with a monthly fee of its own and two hours and a half of work in November 2025.
with tenant as (
    insert into billing.tenants (tenant, name) values (%(tenant)s, 'Pinewater')
), settings as (
    insert into billing.default_billing_settings (tenant) values (%(tenant)s)
), services as (
    insert into billing.services (tenant, service_id, name, unit, default_rate)
    values (%(tenant)s, %(fee)s, 'Care', 'month', 0), (%(tenant)s, %(work)s, 'Consulting', 'hour', 12000)
), numbered as (
    select n, gen_random_uuid() as client, gen_random_uuid() as contract from generate_series(1, %(clients)s) as s (n)
), clients as (
    insert into billing.clients (tenant, client_id, name)
    select %(tenant)s, client, 'Client ' || n from numbered
), contracts as (
    insert into billing.contracts (tenant, contract_id, client_id, name, start_date)
    select %(tenant)s, contract, client, 'Care', '2025-01-01' from numbered
), lines as (
    insert into billing.contract_lines (tenant, contract_line_id, contract_id, position, kind, service_id, rate)
    select %(tenant)s, gen_random_uuid(), contract, kind.position, kind.name, kind.service, kind.rate
    from numbered
    cross join lateral (values (1, 'fixed', %(fee)s::uuid, n), (2, 'hourly', %(work)s::uuid, null))
        as kind (position, name, service, rate)
), entries as (
    insert into billing.time_entries (
        tenant, entry_id, client_id, service_id, user_id, work_date, billing_date, billable_minutes, approval_status
    )
    select %(tenant)s, gen_random_uuid(), client, %(work)s, %(work)s, day, day, 30, 'approved'
    from numbered cross join generate_series(date '2025-11-03', date '2025-11-07', interval '1 day') as d (day)
)
insert into billing.client_billing_cycles (
    tenant, billing_cycle_id, client_id, billing_cycle, effective_date, period_start_date, period_end_date
)
select %(tenant)s, gen_random_uuid(), client, 'monthly', '2025-11-01', '2025-11-01', '2025-12-01' from numbered
