-- One batch, from the log to the archive in one statement: a row is never in both, nor in neither.
with old as (
    select a.audit_id
    from billing.audit_logs as a
    where a.tenant = %(tenant)s and a.occurred_at < now() - make_interval(days => %(days)s)
    order by a.occurred_at
    limit %(limit)s
    for update skip locked
),
taken as (
    delete from billing.audit_logs as a
    using old
    where a.tenant = %(tenant)s and a.audit_id = old.audit_id
    returning a.tenant, a.audit_id, a.occurred_at, a.user_id, a.job_id, a.operation, a.table_name, a.record_id, a.details
),
archived as (
    insert into billing.audit_log_archive (
        tenant, audit_id, occurred_at, user_id, job_id, operation, table_name, record_id, details
    )
    select tenant, audit_id, occurred_at, user_id, job_id, operation, table_name, record_id, details
    from taken
    returning audit_id
)
select count(*) as rows from archived
