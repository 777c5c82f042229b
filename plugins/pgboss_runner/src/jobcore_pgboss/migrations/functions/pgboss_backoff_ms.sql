-- How long a job waits for its next attempt, in milliseconds: pg-boss's formula.
create or replace function jobcore.pgboss_backoff_ms(
    retry_count integer, retry_delay integer, retry_backoff boolean, retry_delay_max integer
) returns double precision
language sql volatile
as $$
    select 1000 * case
        when $3 then least($4, greatest($2, 1) * power(2, least(16, $1 + 1)) * (0.5 + 0.5 * random()))
        else $2
    end
$$;
