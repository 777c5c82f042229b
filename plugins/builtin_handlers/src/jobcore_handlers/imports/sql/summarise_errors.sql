with errors as (
    select row_number, unnest(errors) as message from billing.import_job_items
    where tenant = %(tenant)s and import_job_id = %(import_job)s and status = 'error'
),

top as (
    select message, count(*) as times from errors group by message order by times desc, message limit 10
)

select jsonb_build_object(
    'totalErrors', (select count(*) from errors),
    'rowsWithErrors', (select count(distinct row_number) from errors),
    'topErrors', coalesce(
        (select jsonb_agg(jsonb_build_object('message', message, 'count', times) order by times desc, message) from top),
        '[]'
    )
) as summary
