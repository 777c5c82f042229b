insert into billing.webhook_secrets (tenant, subscription_id, secret)
values (%(tenant)s, %(subscription_id)s, %(secret)s)
