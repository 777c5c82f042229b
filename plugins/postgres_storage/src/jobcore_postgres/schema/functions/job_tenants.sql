-- Whose jobs there are: one look into the primary key a tenant, however many jobs each has.
create or replace function jobcore.job_tenants() returns setof uuid
language sql stable
as $$
    with recursive found (tenant) as (
        (select j.tenant from public.jobs j order by j.tenant limit 1)
        union all
        select (select j.tenant from public.jobs j where j.tenant > f.tenant order by j.tenant limit 1)
        from found f
        where f.tenant is not null
    )
    select f.tenant from found f where f.tenant is not null;
$$;
