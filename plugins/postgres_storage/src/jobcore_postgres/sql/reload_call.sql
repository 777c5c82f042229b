with called as (
    insert into jobcore.reloads (called_by) values (%s) returning number
)
select number from called, pg_notify('jobcore_reload', '')
