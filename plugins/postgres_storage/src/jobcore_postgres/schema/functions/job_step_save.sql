-- Store a step's result unless it has one; return the stored one. Null (not JSON's null) if the lease is lost.
create or replace function jobcore.job_step_save(tenant uuid, job_id uuid, token text, key text, result jsonb)
returns jsonb
language plpgsql
as $$
#variable_conflict use_column
begin
    if not jobcore.job_is_leased($1, $2, $3) then
        return null;
    end if;
    insert into public.job_details (tenant, job_id, slot, step_name, status, result, processed_at)
    values ($1, $2, 'step:' || $4, 'step:' || $4, 'completed', $5, statement_timestamp())
    on conflict (tenant, job_id, slot) do nothing;
    return (
        select d.result
        from public.job_details d
        where d.tenant = $1 and d.job_id = $2 and d.slot = 'step:' || $4);
end
$$;
