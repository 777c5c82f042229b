-- The functions of this name in our schema, written so that DROP FUNCTION and GRANT take them.
select p.oid::regprocedure::text as signature
from pg_proc p
where p.pronamespace = to_regnamespace('jobcore') and p.proname = %s
