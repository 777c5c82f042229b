select frequency, frequency_unit, start_day, end_day, effective_from, effective_to
from billing.time_period_settings
where tenant = %(tenant)s and is_active
order by setting_id
