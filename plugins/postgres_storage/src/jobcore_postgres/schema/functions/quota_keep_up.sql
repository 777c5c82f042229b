-- Count anew the waiting jobs of those tenants that are near their quotas, or have made many since the last count, so that
-- those who enqueue need not. Returns the seconds until it is due again; null if no tenant has such a quota.
create or replace function jobcore.quota_keep_up() returns float8
language plpgsql
as $$
declare
    often constant float8 := 5;
    began constant timestamptz := clock_timestamp();
    near uuid[];
begin
    if not exists (select from jobcore.quotas q where q.waiting is not null) then
        return null;
    end if;
    if not pg_try_advisory_xact_lock(hashtextextended('jobcore quotas', 0)) then
        return often;
    end if;

    select array_agg(s.tenant) into near
    from (
        select distinct on (s.tenant) s.tenant, s.sampled_at, s.waiting
        from jobcore.quota_samples s
        order by s.tenant, s.sampled_at desc, s.waiting
    ) s
    cross join lateral jobcore.quota_of(s.tenant) q
    cross join lateral (
        select count(*) as made
        from (select from public.jobs j where j.tenant = s.tenant and j.created_at > s.sampled_at limit 1000) j
    ) since
    where since.made = 1000 or s.waiting + since.made >= 0.8 * q.waiting;
    if near is not null then
        perform jobcore.quota_sample(near, array_fill(0::bigint, array[cardinality(near)]));
    end if;
    delete from jobcore.quota_samples s
    where s.sampled_at < began - interval '1 minute'
        and exists (
            select from jobcore.quota_samples n where n.tenant = s.tenant and n.sampled_at > s.sampled_at);
    return greatest(often, 20 * extract(epoch from clock_timestamp() - began));
end
$$;
