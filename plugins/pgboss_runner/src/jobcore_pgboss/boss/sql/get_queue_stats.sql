select cast(jobcore.boss_queue_stats(cast($1 as text), cast(cast(cast($2 as text) as jsonb) as double precision)) as text)
