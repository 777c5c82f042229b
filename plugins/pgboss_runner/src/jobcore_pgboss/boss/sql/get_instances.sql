select cast(jobcore.boss_instances(a.wanted) as text)
from (select cast($1 as text) as nothing, cast(cast($2 as text) as jsonb) as wanted) a
where a.nothing = ''
