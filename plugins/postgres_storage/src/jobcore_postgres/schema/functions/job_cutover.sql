-- Move up to `lim` jobs of these handlers that have not begun from one engine to another: those that were made until an instant
-- and come after a job in the order of their keys; of one tenant, or of all. `options` names what the other engine is told of a
-- handler's jobs beside: {handler: {...}}. The verdict on each that was looked at:
-- moved; running: it has begun, or ended; kept: its engine does not let it go; busy: somebody holds it, look again;
-- refused: the other engine does not take it, and `reason` says why.
-- It waits 50 ms for a lock at most, long before PostgreSQL would look for a deadlock, and four times at most: whoever waits
-- for what it holds itself is let by soon.
create or replace function jobcore.job_cutover(
    source text, target text, handlers text[], whose uuid, until timestamptz, after_tenant uuid, after_job uuid,
    lim integer, options jsonb, note jsonb
) returns table (tenant uuid, job_id uuid, handler text, verdict text, reason text)
language plpgsql
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_sort = off
set lock_timeout = '50ms'
as $$
#variable_conflict use_column
declare
    its record;
    held boolean;
    waits integer := 0;
begin
    for its in
        select b.tenant, b.job_id, b.type
        from public.jobs b
        where (b.tenant, b.job_id) > ($6, $7)
            and b.tenant >= coalesce($4, '00000000-0000-0000-0000-000000000000')
            and b.tenant <= coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            and b.status in ('pending', 'queued')
            and b.runner_type = $1
            and b.type = any ($3)
            and b.created_at <= $5
        order by b.tenant, b.job_id
        limit $8
    loop
        tenant := its.tenant;
        job_id := its.job_id;
        handler := its.type;
        reason := null;
        begin
            held := jobcore.job_waits(its.tenant, its.job_id, $1);
            -- What ended before we held it has no engine that would know of it: its row is looked at anew.
            if not held or not exists (
                select
                from public.jobs b
                where b.tenant = its.tenant
                    and b.job_id = its.job_id
                    and b.status in ('pending', 'queued')
                    and b.runner_type = $1
            ) then
                verdict := 'running';
            elsif exists (
                select
                from jobcore.job_move(
                    jsonb_build_array(jsonb_build_object(
                        'tenant', its.tenant, 'job_id', its.job_id, 'options', $9 -> its.type)), $2, $10)
            ) then
                select b.error ->> 'message' into reason
                from public.jobs b
                where b.tenant = its.tenant and b.job_id = its.job_id and b.status = 'failed';
                if found then  -- the other engine has failed it, for it could not take it: it is better left where it is
                    raise exception using errcode = 'integrity_constraint_violation', message = reason;
                end if;
                verdict := 'moved';
            else
                verdict := 'kept';
            end if;
        exception
            when lock_not_available or serialization_failure or deadlock_detected then
                verdict := 'busy';
                waits := waits + 1;
            when integrity_constraint_violation or data_exception then
                verdict := 'refused';
                reason := sqlerrm;
        end;
        return next;
        exit when waits = 4;
    end loop;
end
$$;
