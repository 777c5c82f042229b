do $$
declare
    added name;
begin
    if exists (select from jobcore.found where object = 'column jobs.external_id') then
        delete from jobcore.found where object like 'column jobs.%';
        return;
    end if;
    drop index public.idx_jobs_external_id;
    foreach added in array '{external_run_id,external_id,runner_type}'::name[] loop
        execute format('alter table public.jobs drop column %I', added);
    end loop;
end
$$;
