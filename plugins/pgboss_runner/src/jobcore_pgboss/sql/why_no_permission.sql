-- What this login lacks of the rights with which workers take jobs.
select
    current_user as login,
    array_agg(w.privilege || ' on ' || w.relation order by w.place) as missing
from unnest(
    array['pgboss.queue', 'pgboss.job', 'pgboss.job', 'pgboss.job', 'pgboss.job', 'public.jobs', 'jobcore.workers'],
    array['select', 'select', 'insert', 'update', 'delete', 'update', 'update']
) with ordinality as w (relation, privilege, place)
join pg_class c on c.relname = split_part(w.relation, '.', 2)
join pg_namespace n on n.oid = c.relnamespace and n.nspname = split_part(w.relation, '.', 1)
where not has_schema_privilege(n.oid, 'usage') or not has_table_privilege(c.oid, w.privilege)
having count(*) > 0
