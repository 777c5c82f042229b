-- What an endpoint needs beside its address: a breaker that probes, secrets of its own, notices to its owner; and
-- tables whose changes are announced by a trigger.
alter table billing.webhook_subscriptions
    add column resume_at timestamptz,
    add column failed_probes integer not null default 0;
comment on column billing.webhook_subscriptions.resume_at is
    'Nothing is sent before. Where is_enabled is false: when a delivery may probe the endpoint; null if none is to.';

alter table billing.webhook_events
    add column message_id uuid,
    alter column is_delivered set default false,
    alter column duration_ms drop not null,
    alter column sent_at set default clock_timestamp();
-- Row-level security is forced on the owner too, who migrates.
alter table billing.webhook_events no force row level security;
update billing.webhook_events set message_id = job_id;
alter table billing.webhook_events force row level security;
alter table billing.webhook_events alter column message_id set not null;
comment on column billing.webhook_events.job_id is null;
comment on column billing.webhook_events.message_id is
    'That of the job which was the first to send it: the same for all attempts, and when it is sent again by hand.';
comment on column billing.webhook_events.duration_ms is
    'Null while the attempt runs, and for ever if its worker died before it knew what came of it.';
create index webhook_events_by_message on billing.webhook_events (tenant, message_id);

create table billing.webhook_secrets (
    tenant uuid not null,
    subscription_id uuid not null,
    secret text not null default
        'whsec_' || encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'),
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    primary key (tenant, subscription_id, created_at),
    foreign key (tenant, subscription_id)
        references billing.webhook_subscriptions (tenant, subscription_id) on delete cascade
);
comment on table billing.webhook_secrets is
    'With what the messages to an endpoint are signed (Standard Webhooks); two while one is being replaced.';

create table billing.webhook_notices (
    tenant uuid not null,
    notice_id uuid not null default gen_random_uuid(),
    subscription_id uuid not null,
    kind text not null check (kind in ('disabled', 'ended', 'enabled')),
    reason text,
    created_at timestamptz not null default clock_timestamp(),
    primary key (tenant, notice_id),
    foreign key (tenant, subscription_id)
        references billing.webhook_subscriptions (tenant, subscription_id) on delete cascade
);
comment on table billing.webhook_notices is 'What the owner of a subscription is to be told.';
create index webhook_notices_by_subscription on billing.webhook_notices (tenant, subscription_id, created_at desc);

alter table billing.webhook_subscriptions no force row level security;
insert into billing.webhook_secrets (tenant, subscription_id)
select tenant, subscription_id from billing.webhook_subscriptions;
alter table billing.webhook_subscriptions force row level security;

select billing.keep_tenants_apart('billing.webhook_secrets', 'billing.webhook_notices');

create function billing.give_webhook_secret() returns trigger language plpgsql as $$
begin
    insert into billing.webhook_secrets (tenant, subscription_id) values (new.tenant, new.subscription_id);
    return null;
end
$$;

create trigger give_secret after insert on billing.webhook_subscriptions
for each row execute function billing.give_webhook_secret();

-- The trigger of `announce_changes`: one `sendWebhook` for each subscription that listens, in the transaction of the
-- change. Arguments: the resource, the key's column, and the columns whose values are told.
create function billing.announce_change() returns trigger language plpgsql as $$
declare
    old_row constant jsonb := to_jsonb(old);
    new_row constant jsonb := to_jsonb(new);
    row_now constant jsonb := coalesce(new_row, old_row);
    told text[] := '{}';
    old_told jsonb;
    row_told jsonb;
begin
    for n in 2 .. tg_nargs - 1 loop
        told := told || tg_argv[n];
    end loop;
    select coalesce(jsonb_object_agg(c.name, row_now -> c.name), '{}'),
        coalesce(jsonb_object_agg(c.name, old_row -> c.name), '{}')
    into row_told, old_told
    from unnest(told) as c (name);

    if tg_op = 'UPDATE' and (old_row = new_row or told <> '{}' and old_told = row_told) then
        return null;
    end if;

    perform jobcore.enqueue(
        'sendWebhook',
        jsonb_build_object(
            'tenantId', s.tenant,
            'subscriptionId', s.subscription_id,
            'action', case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
            'resourceId', row_now ->> tg_argv[1],
            'data', row_told),
        '{"max_attempts": 5}')
    from billing.webhook_subscriptions s
    where s.tenant = (row_now ->> 'tenant')::uuid and s.resource = tg_argv[0]
        and (s.is_enabled or s.resume_at is not null);
    return null;
end
$$;

-- Announce every change of a table's rows to the subscriptions of `resource`. What is told of a row are its key and the
-- `columns`, and with columns, an update is announced only if one of them changed. Calling it again replaces the rule.
create function billing.announce_changes(
    changed regclass, resource text, key name, columns name[] default '{}'
) returns void language plpgsql as $$
declare
    missing text;
begin
    if exists (
        select from pg_class c
        where c.oid = changed and c.relnamespace = 'billing'::regnamespace and c.relname like 'webhook\_%'
    ) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('changes of %s are not announced: it belongs to the webhooks themselves', changed);
    end if;
    select string_agg(quote_ident(c.name), ', ') into missing
    from unnest(array['tenant', key] || columns) as c (name)
    where not exists (
        select from pg_attribute a where a.attrelid = changed and a.attname = c.name and a.attnum > 0 and not a.attisdropped
    );
    if missing is not null then
        raise exception using
            errcode = 'undefined_column',
            message = format('changes of %s cannot be announced: it has no column %s', changed, missing),
            hint = 'Needed are tenant, the column of the key, and the columns that are to be told.';
    end if;
    execute format(
        'create or replace trigger announce_changes after insert or update or delete on %s '
        'for each row execute function billing.announce_change(%s)',
        changed,
        (select string_agg(quote_literal(a.value), ', ' order by a.n)
            from unnest(array[resource, key] || columns::text[]) with ordinality as a (value, n)));
end
$$;
revoke execute on function billing.announce_changes(regclass, text, name, name[]) from public;

create function billing.stop_announcing_changes(changed regclass) returns void language plpgsql as $$
begin
    execute format('drop trigger announce_changes on %s', changed);
end
$$;
revoke execute on function billing.stop_announcing_changes(regclass) from public;
