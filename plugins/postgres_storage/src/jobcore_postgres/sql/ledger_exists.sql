select to_regclass('jobcore.migrations') is not null as present
