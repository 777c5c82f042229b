drop table billing.audit_logs;
