-- One import of a tenant at a time looks for duplicates and creates assets, until its transaction ends.
select pg_advisory_xact_lock(hashtextextended('billing.assets/' || %(tenant)s::text, 0))
