-- When a job may start, as Node's senders say it: nothing, a number of seconds, an interval, or an instant: that begins with
-- a date, or ends in Z.
create or replace function jobcore.pgboss_start_after(start_after jsonb) returns timestamptz
language sql stable
as $$
    select case
        when $1 is null or jsonb_typeof($1) = 'null' then pgboss.job_now()
        when jsonb_typeof($1) = 'number' then pgboss.job_now() + ($1 #>> '{}')::double precision * interval '1 second'
        when $1 #>> '{}' ~ '^\d{4}-\d{2}-\d{2}|Z$' then ($1 #>> '{}')::timestamptz
        else pgboss.job_now() + ($1 #>> '{}')::interval
    end
$$;
