-- How many jobs of tenants wait: in the queue of each engine, and for their admission. Several rows a tenant, or none.
create or replace function jobcore.quota_count(tenants uuid[]) returns table (tenant uuid, waiting bigint)
language plpgsql
as $$
declare
    parts text;
begin
    select string_agg(format('union all select w.tenant, w.waiting from %s($1) w', e.waiting), ' ') into parts
    from jobcore.engines e
    where e.waiting is not null;
    -- In one statement: a job that is just being admitted stands in one of them.
    return query execute
        'select a.tenant, count(*) from jobcore.admissions a where a.tenant = any ($1) group by a.tenant '
        || coalesce(parts, '')
        using $1;
end
$$;
