-- A state of its own for jobs that were cancelled. Alone in its migration: PostgreSQL lets a new label be used only after
-- the transaction that added it. The other labels are there since S03, and added for tables from before it.
alter type public.job_status add value if not exists 'pending';
alter type public.job_status add value if not exists 'processing';
alter type public.job_status add value if not exists 'completed';
alter type public.job_status add value if not exists 'failed';
alter type public.job_status add value if not exists 'active';
alter type public.job_status add value if not exists 'queued';
alter type public.job_status add value if not exists 'cancelled';
