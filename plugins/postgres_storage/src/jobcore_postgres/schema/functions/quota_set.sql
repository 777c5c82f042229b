-- Give a tenant a quota; null is the default. A null limit is none.
create or replace function jobcore.quota_set(
    tenant uuid, waiting bigint, enqueues_per_second bigint, schedules bigint
) returns void
language plpgsql
as $$
begin
    insert into jobcore.quotas (tenant, waiting, enqueues_per_second, schedules)
    values ($1, $2, $3, $4)
    on conflict do nothing;
    if not found then
        update jobcore.quotas q
        set waiting = $2, enqueues_per_second = $3, schedules = $4, set_at = statement_timestamp()
        where q.tenant is not distinct from $1;
    end if;
end
$$;
