-- Count the jobs of tenants that wait, and keep the counts for `quota_guard_waiting`. `made` says how many of each tenant were
-- made just now and are in no queue yet. A sample is a new row: whoever counts waits for nobody, and nobody for it.
create or replace function jobcore.quota_sample(tenants uuid[], made bigint[])
returns table (tenant uuid, waiting bigint)
language plpgsql
as $$
#variable_conflict use_column
declare
    began constant timestamptz := clock_timestamp();
    -- What is made after this instant is counted beside the sample: also what others made within the last second and have not
    -- committed yet. A transaction that reads as of its beginning sees nothing that others made after that.
    seen_to constant timestamptz := case current_setting('transaction_isolation')
        when 'read committed' then statement_timestamp() else transaction_timestamp()
    end - interval '1 second';
    since bigint[];
begin
    -- Before the others are counted: what comes between is then counted twice, and not never.
    select array_agg(
        (select count(*) from public.jobs j where j.tenant = t.tenant and j.created_at > seen_to)
        order by t.ord)
    into since
    from unnest($1) with ordinality as t (tenant, ord);

    return query
        with counted as materialized (
            select t.tenant, t.since, t.made + coalesce(sum(w.waiting), 0)::bigint as waiting
            from unnest($1, $2, since) as t (tenant, made, since)
            left join jobcore.quota_count($1) w on w.tenant = t.tenant
            group by t.tenant, t.made, t.since
        ),
        kept as (
            insert into jobcore.quota_samples (tenant, sampled_at, waiting, took_ms)
            select c.tenant, seen_to, c.waiting - c.since, extract(epoch from clock_timestamp() - began) * 1000
            from counted c
        )
        select c.tenant, c.waiting from counted c;
end
$$;
