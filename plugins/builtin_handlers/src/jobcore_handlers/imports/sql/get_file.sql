select storage_key, size from billing.files where tenant = %(tenant)s and file_id = %(file)s
