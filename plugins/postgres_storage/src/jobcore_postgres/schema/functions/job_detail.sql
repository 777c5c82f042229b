-- Write an item that a handler reports, one row a step name; metadata is merged. Null if the lease is no longer the
-- job's. A null token: no fence, and null only if there is no such job.
create or replace function jobcore.job_detail(
    tenant uuid, job_id uuid, token text, step_name text, status text, result jsonb, metadata jsonb
) returns uuid
language plpgsql
as $$
#variable_conflict use_column
declare
    written uuid;
begin
    if not jobcore.job_is_leased($1, $2, $3) then
        return null;
    end if;
    insert into public.job_details as d (tenant, job_id, slot, step_name, status, result, processed_at, metadata)
    values ($1, $2, 'item:' || $4, $4, $5, $6, statement_timestamp(), $7)
    on conflict (tenant, job_id, slot) do update
    set status = excluded.status,
        result = coalesce(excluded.result, d.result),
        processed_at = excluded.processed_at,
        metadata = coalesce(d.metadata || excluded.metadata, excluded.metadata, d.metadata)
    returning d.detail_id into written;
    return written;
end
$$;
