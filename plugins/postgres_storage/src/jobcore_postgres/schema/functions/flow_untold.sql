-- Refuse a job whose key only its handler's own code can find. Always raises.
create or replace function jobcore.flow_untold(handler text) returns void
language plpgsql immutable
as $$
begin
    raise exception using
        errcode = 'feature_not_supported',
        message = format(
            'job %L: its jobs are told apart by a Python function of their payload, which SQL cannot evaluate', $1),
        hint = 'Enqueue it from a process that has the handler, or let its key be the name of a field.';
end
$$;
