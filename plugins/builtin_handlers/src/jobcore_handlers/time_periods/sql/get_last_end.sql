select max(end_date) as end_date
from billing.time_periods
where tenant = %(tenant)s
