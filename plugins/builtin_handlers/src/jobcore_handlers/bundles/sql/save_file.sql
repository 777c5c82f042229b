-- The id comes from the job, so a retry writes the row that it wrote before.
insert into billing.files (tenant, file_id, original_name, mime_type, size, sha256, storage_key, uploaded_by)
values (%(tenant)s, %(file)s, %(name)s, %(mime_type)s, %(size)s, %(sha256)s, %(key)s, %(user)s)
on conflict (tenant, file_id) do update set
    original_name = excluded.original_name, mime_type = excluded.mime_type, size = excluded.size,
    sha256 = excluded.sha256, storage_key = excluded.storage_key, uploaded_by = excluded.uploaded_by
