-- Jobs that waited for their admission enter the queue by our function.
insert into jobcore.engines (runner_type, admit) values ('pgboss', 'jobcore.pgboss_admit');
