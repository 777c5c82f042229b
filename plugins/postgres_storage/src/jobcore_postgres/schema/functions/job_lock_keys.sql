-- Hold the dedupe keys of these new jobs until the end of the transaction, in one order for all who let jobs displace others:
-- two calls with the same keys then wait for one another here, before they hold anything else. More than a thousand keys are
-- not held: the server's table of locks has room for some thousands. Of two such calls one may be ended, and is to be repeated.
create or replace function jobcore.job_lock_keys(jobs jsonb) returns void
language plpgsql
as $$
declare
    keys constant bigint[] := (
        select array_agg(distinct h.key order by h.key)
        from jsonb_to_recordset($1) as i (tenant uuid, type text, dedupe_key text)
        cross join lateral (
            select hashtextextended(concat_ws('/', 'jobcore dedupe', i.tenant, i.type, i.dedupe_key), 0)
        ) as h (key)
        where i.dedupe_key is not null);
    key bigint;
begin
    if cardinality(keys) <= 1000 then
        foreach key in array keys loop
            perform pg_advisory_xact_lock(key);
        end loop;
    end if;
end
$$;
