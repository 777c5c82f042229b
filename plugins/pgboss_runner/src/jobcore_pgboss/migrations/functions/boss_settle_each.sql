-- End attempts each by its own: [{"id", "attempt", "status": "completed" | "failed" | "deadletter", "output"}]. Who is
-- dead-lettered fails for good. Answers how many were changed.
create or replace function jobcore.boss_settle_each(queue text, ends jsonb) returns integer
language plpgsql
as $$
declare
    ended jsonb;
    asked jsonb;
    changed integer := 0;
begin
    for ended in select e.value from jsonb_array_elements($2) e order by e.value ->> 'id' loop
        asked := jsonb_build_object(
            'jobs', jsonb_build_array(ended),
            'output', ended -> 'output',
            'terminal', ended ->> 'status' = 'deadletter');
        if ended ->> 'status' = 'completed' then
            changed := changed + (jobcore.boss_complete($1, asked) ->> 'affected')::integer;
        else
            changed := changed + (jobcore.boss_fail($1, asked) ->> 'affected')::integer;
        end if;
    end loop;
    return changed;
end
$$;
