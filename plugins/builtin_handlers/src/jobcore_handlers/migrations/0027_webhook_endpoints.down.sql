drop function billing.stop_announcing_changes(regclass);
drop function billing.announce_changes(regclass, text, name, name[]);
drop function billing.announce_change() cascade;
drop trigger give_secret on billing.webhook_subscriptions;
drop function billing.give_webhook_secret();
drop table billing.webhook_notices;
drop table billing.webhook_secrets;
-- Row-level security is forced on the owner too, who migrates.
alter table billing.webhook_events no force row level security;
delete from billing.webhook_events where duration_ms is null;
alter table billing.webhook_events force row level security;
drop index billing.webhook_events_by_message;
alter table billing.webhook_events
    drop column message_id,
    alter column is_delivered drop default,
    alter column duration_ms set not null,
    alter column sent_at drop default;
comment on column billing.webhook_events.job_id is 'The message''s id, the same for all its attempts.';
alter table billing.webhook_subscriptions drop column failed_probes, drop column resume_at;
