-- The planner's first statistics of `jobs`: that a tenant has many, in all states. Without any it takes the jobs of a tenant for
-- one row, and the index by tenant for as good a way to a job as the key: a plan made then walks all jobs of the tenant for each
-- one, until autovacuum comes round. A list of the most common tenants would say that there are no others: a target of one
-- keeps it from being made. The rows that show all this are gone when this transaction commits, with the pages that held
-- them: left dead, they would say at the next analysis that the pages of this table are empty.
do $$
declare
    states constant public.job_status[] := '{queued,processing,completed,failed,cancelled}';
    shown constant uuid[] := array(select gen_random_uuid() from generate_series(1, 10));
begin
    if exists (select from public.jobs) then
        analyze public.jobs;
        return;
    end if;
    insert into public.jobs (tenant, type, user_id, status)
    select shown[1 + n % 10], 'statistics', '00000000-0000-0000-0000-000000000000', states[1 + n / 10 % 5]
    from generate_series(0, 99) n;
    alter table public.jobs alter column tenant set statistics 1;
    analyze public.jobs;
    alter table public.jobs alter column tenant set statistics -1;
    begin
        truncate public.jobs, public.job_details;
    exception when feature_not_supported then  -- a table of the application's refers to it
        delete from public.jobs where tenant = any (shown);
    end;
end
$$;
