-- Where a handler's jobs run, so that a job which SQL enqueues runs where one of Python's would.
alter table jobcore.announced add column engine jsonb;
comment on column jobcore.announced.engine is 'The runner, the time-out in milliseconds, and what its jobs tell the engine.';
