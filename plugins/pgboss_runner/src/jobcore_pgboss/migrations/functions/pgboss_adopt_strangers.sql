-- Give their rows in `jobs` to those of these claims that have none, and return them.
create or replace function jobcore.pgboss_adopt_strangers(claimed pgboss.job[]) returns pgboss.job[]
language plpgsql
as $$
declare
    strangers pgboss.job[];
begin
    select array_agg(c)
    into strangers
    from unnest($1) c
    where not exists (
        select from public.jobs j where j.tenant = jobcore.pgboss_tenant(c.group_id, c.data) and j.job_id = c.id);

    perform jobcore.pgboss_adopt(jsonb_agg(jsonb_build_object('name', c.name, 'id', c.id))) from unnest(strangers) c;
    return strangers;
end
$$;
