select jobcore.admission_grant(%s::jsonb, %s::jsonb, %s::jsonb)
