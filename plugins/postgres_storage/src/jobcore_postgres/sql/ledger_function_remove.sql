delete from jobcore.functions where component = %s and name = %s
