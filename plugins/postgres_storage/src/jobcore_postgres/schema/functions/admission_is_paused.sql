-- Whether a pause holds a job up.
create or replace function jobcore.admission_is_paused(tenant uuid, type text, queue text) returns boolean
language sql stable
as $$
    select exists (
        select
        from jobcore.pauses p
        where (p.kind, p.name) in (('queue', $3), ('handler', $2), ('tenant', $1::text)))
$$;
