select name, key, kind, cron, timezone, created_on, options ->> 'missed' = 'once' from pgboss.schedule order by name, key
