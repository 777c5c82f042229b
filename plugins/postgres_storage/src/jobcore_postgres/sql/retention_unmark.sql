delete from jobcore.retention_marks where tenant = %(tenant)s and (%(state)s::text is null or state::text = %(state)s)
