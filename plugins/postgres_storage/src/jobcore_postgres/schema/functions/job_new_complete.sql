-- Whether every one of these new jobs now exists, made or found.
create or replace function jobcore.job_new_complete(jobs jsonb) returns boolean
language plpgsql
as $$
begin
    return not exists (
        select
        from jsonb_to_recordset($1) as i (
            id uuid, tenant uuid, type text, dedupe_key text, schedule_id uuid, fire_time timestamptz)
        where not exists (
            select from jobcore.job_new_existing(i.tenant, i.id, i.type, i.dedupe_key, i.schedule_id, i.fire_time)));
end
$$;
