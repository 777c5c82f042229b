delete from jobcore.migrations where component = %s and version = %s
