delete from jobcore.retention where tenant = %(tenant)s and (%(state)s::text is null or state::text = %(state)s)
