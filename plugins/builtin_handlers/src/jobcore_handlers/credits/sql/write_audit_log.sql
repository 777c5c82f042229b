insert into billing.audit_logs (tenant, audit_id, user_id, job_id, operation, table_name, record_id, details)
values (%(tenant)s, %(audit)s, %(user)s, %(job)s, %(operation)s, %(table_name)s, %(record)s, %(details)s)
on conflict (tenant, audit_id) do nothing
