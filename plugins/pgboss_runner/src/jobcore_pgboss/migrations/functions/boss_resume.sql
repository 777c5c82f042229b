-- Let cancelled jobs wait again. They no longer stand for their key in `upsert`, so that a newer job of that key does not
-- collide with them.
create or replace function jobcore.boss_resume(queue text, asked jsonb) returns jsonb
language plpgsql
as $$
#variable_conflict use_column
declare
    changed uuid[];
begin
    execute format(
        'with resumed as ('
        ' update pgboss.job j'
        ' set state = ''created'', completed_on = null, start_after = greatest(j.start_after, pgboss.job_now()) %s'
        ' from jobcore.boss_asked($2) a'
        ' where j.name = $1 and j.id = a.id and j.state = ''cancelled'''
        ' returning j.id)'
        ' select coalesce(array_agg(r.id), ''{}'') from resumed r',
        case when jobcore.boss_has('upsert_by_key') then ', upsert_by_key = null' end)
    into changed
    using $1, $2;
    return jobcore.boss_answer($1, changed);
end
$$;
