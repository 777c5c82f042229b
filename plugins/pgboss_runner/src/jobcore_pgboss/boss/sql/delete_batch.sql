select cast(jobcore.boss_delete_batch(cast($1 as text), cast(cast($2 as text) as jsonb)) as text)
