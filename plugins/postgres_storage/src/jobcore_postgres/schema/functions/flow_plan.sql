-- A new job as `job_new` takes it, with what it owes to its handler: the queue, the runner, and the limits and the rule for equal
-- jobs that workers announced. Beside the keys of `job_new` it may have on_conflict, window_ms and tier, and the jobs that have to end
-- first: after (a JSON array of ids) and on_parent_failure.
create or replace function jobcore.flow_plan(job jsonb) returns jsonb
language plpgsql stable
as $$
declare
    its_name constant text := $1 ->> 'type';
    its_tenant constant text := lower($1 ->> 'tenant');
    told record;
    planned jsonb := $1;
    gates jsonb;
    its_runner text;
begin
    select a.queue, a.flow, a.engine into told from jobcore.flow_announced(its_name) a;
    planned := planned || jsonb_build_object('queue', coalesce($1 ->> 'queue', told.queue, its_name), 'tenant', its_tenant);
    its_runner := coalesce($1 ->> 'runner_type', told.engine ->> 'runner');
    if $1 ->> 'runner_type' <> 'pgboss'
        and not exists (select from jobcore.workers w where w.runner_type = $1 ->> 'runner_type')
    then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L: no worker runs jobs on %L', its_name, $1 ->> 'runner_type');
    end if;
    if its_runner is not null then
        planned := planned || jsonb_build_object('runner_type', its_runner);
    end if;
    if its_runner = told.engine ->> 'runner' then
        planned := planned || jsonb_build_object(
            'options', coalesce(told.engine -> 'options', '{}') || jsonb_build_object('timeout_ms', told.engine -> 'timeout_ms'));
    end if;
    if $1 ->> 'tier' is not null and not coalesce(told.flow @? '$.limits[*].tiers.*', false) then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('job %L has no tiers: tier %L would change nothing', its_name, $1 ->> 'tier');
    end if;

    planned := jobcore.flow_keyed(planned, told.flow -> 'dedupe');
    select coalesce(jsonb_agg(jobcore.flow_gate(l.announced, planned) order by l.ord), '[]') into gates
    from jsonb_array_elements(told.flow -> 'limits') with ordinality as l (announced, ord);
    if planned ->> 'on_conflict' = 'queue' then
        gates := gates || jsonb_build_object(
            'name', jobcore.flow_bounded(concat_ws('/', 'queue', its_name, its_tenant, planned ->> 'dedupe_key')), 'limit', 1);
        planned := planned - '{dedupe_key,on_conflict}'::text[];
    end if;

    planned := planned - '{tier,after,on_parent_failure}'::text[];
    if gates = '[]' and coalesce($1 -> 'after', '[]') = '[]' then
        return planned;
    end if;
    return planned || jsonb_build_object(
        'status', 'pending',
        'admission', jobcore.flow_admission(
            its_tenant::uuid, gates, $1 -> 'after', coalesce($1 ->> 'on_parent_failure', 'cancel')));
end
$$;
