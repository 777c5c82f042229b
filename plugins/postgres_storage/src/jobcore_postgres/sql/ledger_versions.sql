select version from jobcore.migrations where component = %s
