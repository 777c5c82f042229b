-- Record what is new or changed: a JSON array of {handler, version, schema}.
insert into jobcore.payload_schemas (handler, version, schema, recorded_at)
select n.handler, n.version, n.schema, statement_timestamp()
from jsonb_to_recordset(%s::jsonb) as n (handler text, version integer, schema jsonb)
where not exists (
    select
    from jobcore.payload_schemas k
    where k.handler = n.handler and k.version = n.version and k.schema = n.schema)
order by n.handler, n.version
on conflict (handler, version) do update
set schema = excluded.schema,
    recorded_at = excluded.recorded_at
