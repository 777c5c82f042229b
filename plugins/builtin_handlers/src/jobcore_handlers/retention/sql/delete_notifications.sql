with old as (
    select n.notification_id
    from billing.notifications as n
    where n.tenant = %(tenant)s and n.created_at < now() - make_interval(days => %(days)s)
    order by n.created_at
    limit %(limit)s
    for update skip locked
),
deleted as (
    delete from billing.notifications as n
    using old
    where n.tenant = %(tenant)s and n.notification_id = old.notification_id
    returning n.notification_id
)
select count(*) as rows from deleted
