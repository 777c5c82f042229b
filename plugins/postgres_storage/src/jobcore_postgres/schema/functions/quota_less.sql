-- Note in the last sample of a tenant that one of its jobs waits no longer, for another takes its place: it would be refused
-- where the sample has to do for a while.
create or replace function jobcore.quota_less(tenant uuid) returns void
language sql
as $$
    insert into jobcore.quota_samples (tenant, sampled_at, waiting, took_ms)
    select s.tenant, s.sampled_at, s.waiting - 1, s.took_ms
    from jobcore.quota_samples s
    where s.tenant = $1
    order by s.sampled_at desc, s.waiting
    limit 1
$$;
