select name, checksum from jobcore.functions where component = %s
