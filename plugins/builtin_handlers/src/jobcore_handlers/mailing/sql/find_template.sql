select name, locale, subject, text_body, html_body
from billing.mail_templates
where tenant in (%(tenant)s, %(system)s) and name = %(name)s and locale = any(%(locales)s::text[])
order by tenant = %(system)s, array_position(%(locales)s::text[], locale::text)
limit 1
