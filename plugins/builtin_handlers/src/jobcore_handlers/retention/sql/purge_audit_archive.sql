with old as (
    select a.audit_id
    from billing.audit_log_archive as a
    where a.tenant = %(tenant)s and a.occurred_at < now() - make_interval(days => %(days)s)
    order by a.occurred_at
    limit %(limit)s
    for update skip locked
),
purged as (
    delete from billing.audit_log_archive as a
    using old
    where a.tenant = %(tenant)s and a.audit_id = old.audit_id
    returning a.audit_id
)
select count(*) as rows from purged
