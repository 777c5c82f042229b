update billing.documents
set is_client_visible = true
where tenant = %(tenant)s and document_id = %(document)s and not is_client_visible
