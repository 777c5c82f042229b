select
    set_config('lock_timeout', '20ms', true), set_config('statement_timeout', '40ms', true),
    set_config('synchronous_commit', 'off', true)
