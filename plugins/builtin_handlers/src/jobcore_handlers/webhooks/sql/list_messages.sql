select message_id, subscription_id, (array_agg(job_id order by sent_at desc))[1] as job_id
from billing.webhook_events
where tenant = %(tenant)s and subscription_id = %(subscription_id)s and sent_at >= %(since)s
group by message_id, subscription_id
having %(delivered_too)s or not bool_or(is_delivered)
order by min(sent_at), message_id
limit %(lim)s
