select invoice_id, document_id
from billing.invoice_mails
where tenant = %(tenant)s and job_id = %(job)s
