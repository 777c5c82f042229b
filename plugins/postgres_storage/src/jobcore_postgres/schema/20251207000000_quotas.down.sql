alter table jobcore.engines drop column waiting;
drop table jobcore.quota_samples;
drop table jobcore.quotas;
