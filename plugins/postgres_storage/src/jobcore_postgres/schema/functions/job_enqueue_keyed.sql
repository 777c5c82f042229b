-- Enqueue one job that does not just stand back where its dedupe key is held, by its engine's own function. Another one may
-- take the key while this one makes its way: then it begins anew.
create or replace function jobcore.job_enqueue_keyed(job jsonb, enqueue text)
returns table (job_id uuid, inserted boolean)
language plpgsql
as $$
#variable_conflict use_column
declare
    standing uuid;
    made record;
begin
    for round in 1..100 loop
        standing := jobcore.job_make_way($1);
        if standing is not null then
            return query select standing, false;
            return;
        end if;
        execute format('select e.job_id, e.inserted from %s($1) e', $2)
        into made
        using jsonb_build_array($1 - 'on_conflict');
        if made.inserted or made.job_id = ($1 ->> 'id')::uuid then
            return query select made.job_id, made.inserted;
            return;
        end if;
    end loop;
    raise exception using
        errcode = 'serialization_failure',
        message = format(
            'the dedupe key %L of job %L was taken by others again and again', $1 ->> 'dedupe_key', $1 ->> 'type'),
        hint = 'Enqueue again.';
end
$$;
