drop index public.jobs_by_dedupe_key;
drop table jobcore.engines;
drop table jobcore.pauses;
drop table jobcore.dependencies;
drop table jobcore.buckets;
drop table jobcore.slots;
drop table jobcore.admissions;
drop type jobcore.admission_state;
alter table public.jobs drop column admission;
