with old as (
    select e.event_id
    from billing.webhook_events as e
    where e.tenant = %(tenant)s and e.sent_at < now() - make_interval(days => %(days)s)
    order by e.sent_at
    limit %(limit)s
    for update skip locked
),
deleted as (
    delete from billing.webhook_events as e
    using old
    where e.tenant = %(tenant)s and e.event_id = old.event_id
    returning e.event_id
)
select count(*) as rows from deleted
