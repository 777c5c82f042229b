drop index public.job_details_slots;

alter table public.job_details drop column slot;

do $$
begin
    if exists (select from jobcore.found where object = 'column job_details.status' and was like '%job_status') then
        alter table public.job_details alter column status type public.job_status using
            (case when status = any (enum_range(null::public.job_status)::text[]) then status else 'failed' end)::public.job_status;
    end if;
end
$$;
