insert into billing.invoice_mails (tenant, job_id, invoice_id, mail_id, document_id)
values (%(tenant)s, %(job)s, %(invoice)s, %(mail)s, %(document)s)
on conflict (tenant, job_id, invoice_id) do nothing
