select jobcore.pgboss_cron_file(%b::jsonb)
