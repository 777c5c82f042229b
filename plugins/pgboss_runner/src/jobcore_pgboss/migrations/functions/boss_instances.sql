-- The instances that registered, by their start. Null before version 44, which brought the registry; false, if the one is
-- gone behind which to go on.
create or replace function jobcore.boss_instances(wanted jsonb) returns jsonb
language plpgsql
as $$
declare
    found jsonb;
begin
    if to_regclass('pgboss.instance') is null then
        return 'null';
    end if;
    if $1 ->> 'after' is not null then
        execute 'select to_jsonb(i) from pgboss.instance i where i.id = ($1 ->> ''after'')::uuid' into found using $1;
        if found is null then
            return 'false';
        end if;
    end if;
    execute $sql$
        select coalesce(jsonb_agg(to_jsonb(i) order by i.started_on, i.id), '[]')
        from (
            select i.*,
                i.stopped_on is null
                    and i.heartbeat_on >= pgboss.job_now() - 3 * i.heartbeat_seconds * interval '1 second' as live
            from pgboss.instance i
            where $2 is null or (i.started_on, i.id) > (($2 ->> 'started_on')::timestamptz, ($2 ->> 'id')::uuid)
            order by i.started_on, i.id
            limit ($1 ->> 'limit')::integer
        ) i
    $sql$ into found using $1, found;
    return found;
end
$$;
