with old as (
    select m.mail_id
    from billing.mail_outbox as m
    where m.tenant = %(tenant)s and m.status in ('sent', 'dead')
        and m.created_at < now() - make_interval(days => %(days)s)
    order by m.created_at
    limit %(limit)s
    for update skip locked
),
deleted as (
    delete from billing.mail_outbox as m
    using old
    where m.tenant = %(tenant)s and m.mail_id = old.mail_id
    returning m.mail_id
)
select count(*) as rows from deleted
