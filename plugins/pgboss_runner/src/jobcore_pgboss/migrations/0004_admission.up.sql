-- Jobs that waited for their admission enter the queue, are looked at, and are cancelled by our functions.
insert into jobcore.engines (runner_type, admit, waits, cancel)
values ('pgboss', 'jobcore.pgboss_admit', 'jobcore.pgboss_waits', 'jobcore.pgboss_cancel');
