-- Refuse settlements, a JSON array of objects, that do not show the lease of their job.
create or replace function jobcore.lease_guard(settlements jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    if exists (select from jsonb_array_elements($1) e where (e ->> 'token') is null or (e ->> 'attempt') is null) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = 'a tenant settles a job only with its lease: token and attempt are required';
    end if;
end
$$;
