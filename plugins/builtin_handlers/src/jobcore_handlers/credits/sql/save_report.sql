insert into billing.credit_reconciliation_reports as r (
    tenant, client_id, issue_type, transaction_id, credit_id, expected_balance, actual_balance, metadata
)
values (
    %(tenant)s, %(client)s, %(issue)s, %(transaction)s, %(credit)s, %(expected)s, %(actual)s, %(metadata)s
)
on conflict (tenant, client_id, issue_type, coalesce(credit_id, transaction_id, client_id))
where status <> 'resolved'
do update set
    expected_balance = excluded.expected_balance, actual_balance = excluded.actual_balance,
    detection_date = excluded.detection_date, metadata = r.metadata || excluded.metadata
