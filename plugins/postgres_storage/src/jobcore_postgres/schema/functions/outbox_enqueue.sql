-- Accept jobs of an engine outside: their rows in `jobs`, and in the outbox unless they have to be admitted first. A JSON array
-- as `job_new` takes it, with `options` beside. A job with an `admission`, or that a pause holds up, is `pending`. Those with
-- an `on_conflict` are taken one by one, in the order of their keys. The answers stand in the order of the array.
create or replace function jobcore.outbox_enqueue(jobs jsonb)
returns table (ord integer, job_id uuid, inserted boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    wanted jsonb := $1;
    made jsonb;
begin
    if $1 @? '$[*].on_conflict' then
        return query select * from jobcore.job_enqueue_mixed($1, 'jobcore.outbox_enqueue');
        return;
    end if;
    if exists (select from jobcore.pauses) then
        wanted := jobcore.admission_hold(wanted);
    end if;
    select jsonb_agg(
        case
            when e.element -> 'admission' is null then e.element
            else jsonb_set(e.element, '{admission,engine}', coalesce(e.element -> 'options', 'null'))
        end
        order by e.ord)
    into wanted
    from jsonb_array_elements(wanted) with ordinality as e (element, ord);

    select jsonb_agg(
        jsonb_build_object('ord', n.ord, 'job_id', n.job_id, 'tenant', n.tenant, 'inserted', n.inserted) order by n.ord)
    into made
    from jobcore.job_new(wanted) n;

    perform jobcore.outbox_admit(jsonb_agg(
        jsonb_build_object('tenant', m.tenant, 'job_id', m.job_id, 'options', wanted -> m.ord - 1 -> 'options')
        order by m.ord))
    from jsonb_to_recordset(made) as m (ord integer, tenant uuid, job_id uuid, inserted boolean)
    where m.inserted and wanted -> m.ord - 1 ->> 'status' = 'queued'
    having count(*) > 0;
    perform jobcore.admission_add(jsonb_agg(wanted -> m.ord - 1 order by m.ord))
    from jsonb_to_recordset(made) as m (ord integer, inserted boolean)
    where m.inserted and wanted -> m.ord - 1 ->> 'status' = 'pending'
    having count(*) > 0;

    return query
        select m.ord, m.job_id, m.inserted
        from jsonb_to_recordset(made) as m (ord integer, job_id uuid, inserted boolean)
        order by m.ord;
end
$$;
