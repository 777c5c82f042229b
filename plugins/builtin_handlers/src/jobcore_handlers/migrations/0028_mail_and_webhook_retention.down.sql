drop index billing.webhook_notices_by_time;
drop index billing.webhook_events_by_time;
drop index billing.mail_outbox_ended;
