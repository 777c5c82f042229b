insert into billing.webhook_events (tenant, subscription_id, job_id, message_id, attempt, action, resource_id)
values (
    %(tenant)s, %(subscription_id)s, %(job_id)s, %(message_id)s, %(attempt)s, %(action)s, %(resource_id)s
)
on conflict (tenant, job_id, attempt) do nothing
