do $$
begin
    if not exists (select from jobcore.migrations) and not exists (select from jobcore.functions) then
        drop table jobcore.functions;
        drop table jobcore.migrations;
        drop schema jobcore;
    end if;
end
$$;
