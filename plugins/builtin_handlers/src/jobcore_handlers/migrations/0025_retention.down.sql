-- What was archived goes back to where it came from. Row-level security is forced on the owner too, who migrates.
alter table billing.audit_log_archive no force row level security;
alter table billing.audit_logs no force row level security;
insert into billing.audit_logs (
    tenant, audit_id, occurred_at, user_id, job_id, operation, table_name, record_id, details
)
select tenant, audit_id, occurred_at, user_id, job_id, operation, table_name, record_id, details
from billing.audit_log_archive;
alter table billing.audit_logs force row level security;

drop table billing.audit_log_archive;
drop table billing.notifications;
