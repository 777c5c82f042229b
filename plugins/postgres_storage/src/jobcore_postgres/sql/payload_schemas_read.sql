select handler, version, schema
from jobcore.payload_schemas
where handler = any (%s)
order by handler, version
