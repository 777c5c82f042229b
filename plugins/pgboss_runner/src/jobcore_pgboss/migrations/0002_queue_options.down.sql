drop table jobcore.pgboss_queues;

set local role none;
revoke all on all tables in schema pgboss from jobcore_worker;
revoke usage on schema pgboss from jobcore_worker;
