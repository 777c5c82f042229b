-- The legal moves of `jobcore.states.LEGAL_MOVES`; a test compares the two. Staying is always legal.
create or replace function jobcore.job_may_move(source public.job_status, target public.job_status) returns boolean
language sql immutable parallel safe
as $$
    select case source
        when 'pending' then target in ('pending', 'queued', 'active', 'processing', 'failed', 'cancelled')
        when 'queued' then true
        when 'active' then target in ('active', 'pending', 'queued', 'processing', 'completed', 'failed', 'cancelled')
        when 'processing' then target in ('processing', 'pending', 'queued', 'completed', 'failed', 'cancelled')
        when 'completed' then target = 'completed'
        when 'failed' then target in ('failed', 'queued', 'pending')
        when 'cancelled' then target in ('cancelled', 'queued', 'pending')
    end
$$;
