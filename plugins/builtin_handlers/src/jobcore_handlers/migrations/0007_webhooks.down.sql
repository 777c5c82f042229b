drop table billing.webhook_events;
drop table billing.webhook_subscriptions;
