-- What each tenant that has jobs keeps, and how long in milliseconds: its own rule, or else the default of that state, from
-- a JSON object of state to milliseconds. States that are kept for ever are left out.
create or replace function jobcore.retention_rules(defaults jsonb)
returns table (tenant uuid, state text, keep_ms bigint)
language sql stable
as $$
    select t.tenant, s.state, k.keep_ms
    from jobcore.job_tenants() t (tenant)
    cross join (values ('completed'), ('failed'), ('cancelled')) s (state)
    left join jobcore.retention r on r.tenant = t.tenant and r.state = s.state::public.job_status
    cross join lateral (
        select case when r.tenant is null then ($1 ->> s.state)::bigint else r.keep_ms end
    ) k (keep_ms)
    where k.keep_ms is not null
        and (jsonb_strip_nulls($1) <> '{}' or exists (select from jobcore.retention o where o.keep_ms is not null));
$$;
