insert into billing.mail_outbox (tenant, mail_id, to_address, to_name, subject, text_body, html_body)
values (%(tenant)s, %(mail)s, %(to_address)s, %(to_name)s, %(subject)s, %(text_body)s, %(html_body)s)
on conflict (tenant, mail_id) do nothing
returning mail_id
