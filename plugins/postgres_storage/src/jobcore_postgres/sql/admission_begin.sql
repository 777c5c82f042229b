select jobcore.admission_begin(%s::text, %s::integer, %s::boolean)
