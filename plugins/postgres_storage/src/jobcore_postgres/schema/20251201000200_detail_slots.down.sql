-- The status stays text here; the first migration's way back makes it what it was.
drop index public.job_details_slots;

alter table public.job_details drop column slot;
