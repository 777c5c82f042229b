-- Let a paused queue, handler or tenant go on. False if it was not paused.
create or replace function jobcore.pause_lift(kind text, name text) returns boolean
language plpgsql
as $$
begin
    -- A round that is under way may be just about to note that this pause holds a job up.
    perform pg_advisory_xact_lock(hashtextextended('jobcore admission', 0));
    delete from jobcore.pauses p where p.kind = $1 and p.name = $2;
    if not found then
        return false;
    end if;
    perform jobcore.admission_unpause();
    perform pg_notify('jobcore_admission', '');
    return true;
end
$$;
