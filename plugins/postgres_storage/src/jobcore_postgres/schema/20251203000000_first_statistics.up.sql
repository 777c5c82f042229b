-- The planner's first statistics of `jobs`: that a tenant has many. Without any it takes the jobs of a tenant for one row, and
-- the index by tenant for as good a way to a job as the key: a plan made then walks all jobs of the tenant for each one,
-- until autovacuum comes round. The rows that show it are gone when this transaction commits.
do $$
declare
    shown constant uuid := gen_random_uuid();
begin
    if not exists (select from public.jobs) then
        insert into public.jobs (tenant, type, user_id, status)
        select shown, 'statistics', '00000000-0000-0000-0000-000000000000', 'completed' from generate_series(1, 100);
    end if;
    analyze public.jobs;
    delete from public.jobs where tenant = shown;
end
$$;
