select jobcore.pgboss_channel()
