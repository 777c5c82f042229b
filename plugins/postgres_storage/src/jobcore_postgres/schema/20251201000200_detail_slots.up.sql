-- What a detail is: `attempt:N`, `step:KEY` or `item:NAME`, each once a job. Founding rows have no slot, and may repeat a
-- step's name. The index also serves "the details of this job" and the foreign key.
alter table public.job_details
    alter column status type varchar using status::text,
    add column slot text;

create unique index job_details_slots on public.job_details (tenant, job_id, slot);
