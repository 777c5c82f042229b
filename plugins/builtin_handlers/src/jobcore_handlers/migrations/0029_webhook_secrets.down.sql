-- What is encrypted stays so: give those endpoints new secrets.
comment on column billing.webhook_secrets.secret is null;
create or replace function billing.give_webhook_secret() returns trigger language plpgsql as $$
begin
    insert into billing.webhook_secrets (tenant, subscription_id) values (new.tenant, new.subscription_id);
    return null;
end
$$;
