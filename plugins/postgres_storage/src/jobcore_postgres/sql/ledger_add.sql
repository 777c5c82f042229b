insert into jobcore.migrations (component, version, name, checksum) values (%s, %s, %s, %s)
