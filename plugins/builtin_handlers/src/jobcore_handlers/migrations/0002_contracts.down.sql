drop table billing.discounts;
drop table billing.tax_rates;
drop table billing.contract_lines;
drop table billing.contracts;
drop table billing.services;
