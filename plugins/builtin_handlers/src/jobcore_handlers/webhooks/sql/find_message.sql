select message_id, subscription_id, (array_agg(job_id order by sent_at desc))[1] as job_id
from billing.webhook_events
where tenant = %(tenant)s and message_id = (
    select message_id from billing.webhook_events where tenant = %(tenant)s and event_id = %(event_id)s
)
group by message_id, subscription_id
