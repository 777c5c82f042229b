-- The id comes from the job, so a retry writes the row that it wrote before; who sees it already goes on seeing it.
insert into billing.documents (
    tenant, document_id, name, file_id, client_id, invoice_id, created_by, created_by_job
)
values (
    %(tenant)s, %(document)s, %(name)s, %(file)s, %(client)s, %(invoice)s, %(user)s, %(job)s
)
on conflict (tenant, document_id) do update set name = excluded.name, file_id = excluded.file_id
