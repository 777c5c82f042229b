drop table billing.time_periods;
drop table billing.time_period_settings;
