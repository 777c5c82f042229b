-- A secret that was given with the subscription, because it is encrypted, stays the only one.
create or replace function billing.give_webhook_secret() returns trigger language plpgsql as $$
begin
    insert into billing.webhook_secrets (tenant, subscription_id)
    select new.tenant, new.subscription_id
    where not exists (
        select from billing.webhook_secrets as s
        where s.tenant = new.tenant and s.subscription_id = new.subscription_id
    );
    return null;
end
$$;
comment on column billing.webhook_secrets.secret is
    'whsec_ and Base64; or, where the workers have a key for it, encrypted: sealed:KEY ID:BASE64.';
