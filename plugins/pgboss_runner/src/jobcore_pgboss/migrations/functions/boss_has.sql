-- Does `pgboss.job` have this column? Those younger than version 42 may be missing.
create or replace function jobcore.boss_has(job_column text) returns boolean
language sql stable
as $$
    select exists (
        select
        from pg_attribute a
        where a.attrelid = 'pgboss.job'::regclass and a.attname = $1 and a.attnum > 0 and not a.attisdropped)
$$;
