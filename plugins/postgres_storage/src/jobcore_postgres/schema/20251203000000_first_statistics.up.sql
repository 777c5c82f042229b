-- The planner's first statistics of `jobs`: that a tenant has many, in all states. Without any it takes the jobs of a tenant for
-- one row, and the index by tenant for as good a way to a job as the key: a plan made then walks all jobs of the tenant for each
-- one, until autovacuum comes round. The rows that show it are gone when this transaction commits. A list of the most common
-- tenants would say that there are no others: a target of one keeps it from being made.
do $$
declare
    shown constant uuid[] := array(select gen_random_uuid() from generate_series(1, 10));
    states constant public.job_status[] := '{queued,processing,completed,failed,cancelled}';
begin
    if not exists (select from public.jobs) then
        insert into public.jobs (tenant, type, user_id, status)
        select shown[1 + n % 10], 'statistics', '00000000-0000-0000-0000-000000000000', states[1 + n / 10 % 5]
        from generate_series(0, 99) n;
    end if;
    alter table public.jobs alter column tenant set statistics 1;
    analyze public.jobs;
    alter table public.jobs alter column tenant set statistics -1;
    delete from public.jobs where tenant = any (shown);
end
$$;
