select
    (
        select coalesce(sum(t.billable_minutes), 0)
        from billing.time_entries as t
        where
            t.tenant = %(tenant)s and t.client_id = %(client)s and t.service_id = %(service)s and t.is_billable
            and t.work_date between %(start)s and %(end)s
            and (t.contract_line_id is null or t.contract_line_id = %(line)s)
    )::numeric as time,
    (
        select coalesce(sum(u.quantity), 0)
        from billing.usage_tracking as u
        where
            u.tenant = %(tenant)s and u.client_id = %(client)s and u.service_id = %(service)s
            and u.usage_date between %(start)s and %(end)s
            and (u.contract_line_id is null or u.contract_line_id = %(line)s)
    ) as usage
