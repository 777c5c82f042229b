-- Let a new job have its dedupe key, as its `on_conflict` says; return the job that stands for it instead, or null if the way
-- is free now. `job` is an element of what `job_new` takes, with `on_conflict` and, for a throttle, `window_ms`:
-- supersede: all that were made with the key and have not ended are cancelled, running ones through their signals; replace: only
-- the one that holds the key is, if it waits, and else goes on without it; throttle: a job that was made within the window
-- stands for it, ended or not.
-- One that is here already stands for itself, whatever became of it: to say it again displaces nobody.
create or replace function jobcore.job_make_way(job jsonb) returns uuid
language plpgsql
as $$
#variable_conflict use_column
declare
    its_id constant uuid := job ->> 'id';
    its_tenant constant uuid := job ->> 'tenant';
    its_type constant text := job ->> 'type';
    its_key constant text := job ->> 'dedupe_key';
    rule constant text := job ->> 'on_conflict';
    made_lately uuid;
    other record;
begin
    perform from public.jobs j where j.tenant = its_tenant and j.job_id = its_id;
    if found then
        return its_id;
    end if;

    if rule = 'throttle' then
        select j.job_id into made_lately
        from public.jobs j
        where j.tenant = its_tenant
            and j.type = its_type
            and j.dedupe_key = its_key
            and j.created_at > statement_timestamp() - (job ->> 'window_ms')::double precision * interval '1 millisecond'
        order by j.created_at desc
        limit 1;
        if found then
            return made_lately;
        end if;
    end if;

    for other in
        select j.job_id, j.runner_type
        from public.jobs j
        where j.tenant = its_tenant
            and j.type = its_type
            and j.dedupe_key = its_key
            and (rule = 'supersede' or j.held_key = its_key)
            and j.status in ('pending', 'queued', 'active', 'processing')
        order by j.job_id
    loop
        if rule = 'supersede' then
            perform jobcore.job_displace(its_tenant, other.job_id, other.runner_type, its_id, 'superseded');
        elsif rule = 'replace' and jobcore.job_waits(its_tenant, other.job_id, other.runner_type) then
            perform jobcore.job_displace(its_tenant, other.job_id, other.runner_type, its_id, 'replaced');
        end if;
    end loop;
    update public.jobs j
    set held_key = null
    where j.tenant = its_tenant and j.type = its_type and j.held_key = its_key;
    return null;
end
$$;
