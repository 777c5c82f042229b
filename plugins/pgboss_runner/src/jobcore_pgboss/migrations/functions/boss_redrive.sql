-- Move jobs out of a dead letter queue, oldest first: each becomes a new job of the queue it came from, or of
-- `destination`. One that this queue's policy has no room for fails where it is, and says so. The answer: how many moved.
create or replace function jobcore.boss_redrive(queue text, filters jsonb) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    dead pgboss.job;
    moved integer := 0;
begin
    if not exists (select from pgboss.queue q where q.name = $1) then
        return 'null';
    end if;
    for dead in
        select j.*
        from pgboss.job j
        join jobcore.boss_redrivable($1, $2) r on r.id = j.id
        join pgboss.queue q on q.name = coalesce($2 ->> 'destination', j.source_name)
        where j.name = $1 and j.state < 'active'
        order by j.created_on
        limit ($2 ->> 'limit')::integer
        for update of j skip locked
    loop
        if jobcore.boss_redrive_one(dead, coalesce($2 ->> 'destination', dead.source_name)) then
            delete from pgboss.job j where j.name = $1 and j.id = dead.id;
            moved := moved + 1;
        else
            perform jobcore.boss_redrive_refuse(dead, coalesce($2 ->> 'destination', dead.source_name));
        end if;
    end loop;
    return to_jsonb(moved);
end
$$;
