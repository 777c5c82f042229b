-- Let the server end this transaction after so many milliseconds, unless the session is bound more tightly already: all of
-- it since PostgreSQL 17, before that the pauses between its statements.
select cast(
    to_jsonb(set_config(
        s.name, cast(least(cast(a.milliseconds as bigint), nullif(cast(s.setting as bigint), 0)) as text), true)) as text)
from (select cast($1 as text) as queue, cast($2 as text) as milliseconds) a
join pg_settings s on s.name in ('transaction_timeout', 'idle_in_transaction_session_timeout') and a.queue <> ''
order by s.name desc
limit 1
