-- Change jobs as `boss_update` does, or send one if none such waits: {"jobs", "inserted"}.
create or replace function jobcore.boss_upsert(queue text, asked jsonb) returns jsonb
language plpgsql
as $$
declare
    changed uuid[];
    made uuid;
begin
    if not $2 -> 'options' ? 'singletonKey'
        and exists (select from pgboss.queue q where q.name = $1 and q.policy = 'key_strict_fifo')
    then
        raise exception using
            errcode = 'invalid_parameter_value',
            message = format('queue %L keeps the order of its keys (key_strict_fifo): upsert needs a singletonKey', $1);
    end if;

    changed := jobcore.boss_update($1, $2);
    if changed = '{}' then
        made := jobcore.boss_upsert_new($1, $2);
        if made is not null then
            return jsonb_build_object('jobs', jsonb_build_array(made), 'inserted', 1);
        end if;
        changed := jobcore.boss_update($1, $2);  -- somebody else's came first
    end if;
    return jsonb_build_object('jobs', changed, 'inserted', 0);
end
$$;
