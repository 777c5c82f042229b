-- Refuse a JSON array of objects unless each is of the tenant that this transaction is set to.
create or replace function jobcore.tenant_guard(elements jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    mine constant uuid := jobcore.current_tenant();
begin
    if mine is null then
        raise exception using
            errcode = 'insufficient_privilege',
            message = 'no tenant is set in this transaction',
            hint = 'select set_config(''jobcore.tenant'', ''<tenant id>'', true)';
    end if;
    if exists (select from jsonb_array_elements($1) e where (e ->> 'tenant')::uuid is distinct from mine) then
        raise exception using
            errcode = 'insufficient_privilege',
            message = format('this transaction is set to tenant %s and may not write for another', mine);
    end if;
end
$$;
