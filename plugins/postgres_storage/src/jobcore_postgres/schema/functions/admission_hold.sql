-- These new jobs, a JSON array as `job_new` takes it, with an admission for those that a pause holds up.
create or replace function jobcore.admission_hold(jobs jsonb) returns jsonb
language sql stable
as $$
    select jsonb_agg(
        case
            when e.element -> 'admission' is null
                and jobcore.admission_is_paused(
                    (e.element ->> 'tenant')::uuid, e.element ->> 'type',
                    coalesce(e.element ->> 'queue', e.element ->> 'type'))
            then e.element || '{"status": "pending", "admission": {"lane": "free", "width": 500, "gates": []}}'
            else e.element
        end
        order by e.ord)
    from jsonb_array_elements($1) with ordinality e (element, ord)
$$;
