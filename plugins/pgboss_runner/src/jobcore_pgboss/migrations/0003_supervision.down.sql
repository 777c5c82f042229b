drop table jobcore.pgboss_vanished;
drop table jobcore.pgboss_mirror;
