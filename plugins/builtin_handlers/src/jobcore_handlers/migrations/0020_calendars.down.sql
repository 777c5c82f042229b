drop table billing.calendar_provider_health;
drop table billing.google_calendar_provider_config;
drop table billing.microsoft_calendar_provider_config;
drop table billing.calendar_providers;
