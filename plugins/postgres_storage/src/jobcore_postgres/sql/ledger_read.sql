select component, version, name, applied_at, checksum from jobcore.migrations order by component, version
