insert into billing.webhook_notices (tenant, subscription_id, kind, reason)
values (%(tenant)s, %(subscription_id)s, %(kind)s, %(reason)s)
