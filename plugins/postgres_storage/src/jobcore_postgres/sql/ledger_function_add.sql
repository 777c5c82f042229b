insert into jobcore.functions (component, name, checksum)
values (%s, %s, %s)
on conflict (component, name) do update
set checksum = excluded.checksum
