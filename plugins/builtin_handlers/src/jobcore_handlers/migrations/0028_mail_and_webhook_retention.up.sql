-- What was sent by mail and to webhooks is let go after a time too; these find the oldest of a tenant.
create index mail_outbox_ended on billing.mail_outbox (tenant, created_at) where status in ('sent', 'dead');
create index webhook_events_by_time on billing.webhook_events (tenant, sent_at);
create index webhook_notices_by_time on billing.webhook_notices (tenant, created_at);
