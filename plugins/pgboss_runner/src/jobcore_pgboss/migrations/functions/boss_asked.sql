-- Which jobs a verb of pg-boss's means: {"jobs": [{"id": ..., "attempt": ...}]}. One that names its attempt is meant only
-- while that attempt runs.
create or replace function jobcore.boss_asked(asked jsonb) returns table (id uuid, attempt integer)
language sql immutable rows 10
as $$
    select g.id, g.attempt from jsonb_to_recordset($1 -> 'jobs') as g (id uuid, attempt integer)
$$;
