with old as (
    select n.notice_id
    from billing.webhook_notices as n
    where n.tenant = %(tenant)s and n.created_at < now() - make_interval(days => %(days)s)
    order by n.created_at
    limit %(limit)s
    for update skip locked
),
deleted as (
    delete from billing.webhook_notices as n
    using old
    where n.tenant = %(tenant)s and n.notice_id = old.notice_id
    returning n.notice_id
)
select count(*) as rows from deleted
