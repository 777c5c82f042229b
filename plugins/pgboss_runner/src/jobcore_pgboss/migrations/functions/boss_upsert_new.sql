-- Send the job of an upsert. Of a key only one such waits, since version 45 of the schema: null, if another one does, or if
-- the queue's policy lets it not in.
create or replace function jobcore.boss_upsert_new(queue text, asked jsonb) returns uuid
language plpgsql
as $$
declare
    made uuid;
begin
    made := jobcore.pgboss_send($1, $2 -> 'data', $2 -> 'options');
    if $2 -> 'options' ? 'singletonKey' and jobcore.boss_has('upsert_by_key') then
        execute 'update pgboss.job set upsert_by_key = true where name = $1 and id = $2' using $1, made;
    end if;
    return made;
exception
    when unique_violation then
        return null;
end
$$;
