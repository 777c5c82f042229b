-- Tables that were found go back to who had them, with all their rows; tables that we made are dropped.
set local role none;

do $$
declare
    item record;
begin
    if not exists (select from jobcore.found where object = 'table job_details') then
        drop table public.job_details;
    end if;
    if not exists (select from jobcore.found where object = 'table jobs') then
        drop table public.jobs;
    end if;
    if not exists (select from jobcore.found where object = 'type job_status') then
        drop type public.job_status;
    end if;
    if exists (select from jobcore.found where object = 'column job_details.status' and was like '%job_status') then
        alter table public.job_details alter column status type public.job_status using (
            case when status = any (enum_range(null::public.job_status)::text[]) then status else 'failed' end
        )::public.job_status;
    end if;
    for item in select object, was from jobcore.found where object like 'table %' or object like 'type %' loop
        execute format('alter %s public.%I owner to %I',
            split_part(item.object, ' ', 1), split_part(item.object, ' ', 2), item.was);
    end loop;
end
$$;

drop table jobcore.found;
