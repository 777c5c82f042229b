-- Pause a queue, a handler or a tenant: no job of it begins any more. False if it was paused already.
create or replace function jobcore.pause_set(kind text, name text, reason text, paused_by text) returns boolean
language plpgsql
as $$
begin
    insert into jobcore.pauses (kind, name, reason, paused_by)
    values ($1, $2, $3, $4)
    on conflict do nothing;
    return found;
end
$$;
