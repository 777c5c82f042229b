drop table billing.credit_reconciliation_reports;
drop table billing.credit_tracking;
comment on column billing.clients.credit_balance is 'Cents.';
drop index billing.transactions_credit_expires_once;
drop index billing.transactions_credits_by_client;
comment on column billing.transactions.related_transaction_id is null;
alter table billing.transactions
    drop constraint transactions_credit_named,
    drop constraint transactions_credit_issued,
    drop constraint transactions_credit_types,
    drop column is_credit;
