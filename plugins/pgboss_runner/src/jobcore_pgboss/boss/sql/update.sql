select cast(to_jsonb(jobcore.boss_update(cast($1 as text), cast(cast($2 as text) as jsonb))) as text)
