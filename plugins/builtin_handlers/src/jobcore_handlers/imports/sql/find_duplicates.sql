-- For each wanted row the exact matches, and those names of the same three letters that stand nearest in the alphabet.
-- Each part is a range of an index, so that its cost does not grow with the number of assets. Keys are made first:
-- under row-level security no index serves a comparison with lower(), which is not leakproof.
with wanted as materialized (
    select
        row, serial_number, asset_tag, mac_address,
        lower(name) collate "C" as name_key, left(lower(name), 3) collate "C" as name_prefix
    from unnest(
        %(rows)s::integer [], %(names)s::text [], %(serial_numbers)s::text [], %(asset_tags)s::text [],
        %(mac_addresses)s::text []
    ) as w (row, name, serial_number, asset_tag, mac_address)
)

select w.row, w.name_key as own_key, c.matched_by, c.asset_id, c.name_key
from wanted as w
left join lateral (
    (
        select 'serial_number' as matched_by, asset_id, name_key from billing.assets
        where tenant = %(tenant)s and serial_number = w.serial_number limit 1
    )
    union all (
        select 'asset_tag', asset_id, name_key from billing.assets
        where tenant = %(tenant)s and asset_tag = w.asset_tag limit 1
    )
    union all (
        select 'mac_address', asset_id, name_key from billing.assets
        where tenant = %(tenant)s and mac_address = w.mac_address limit 1
    )
    union all (
        select 'hostname', asset_id, name_key from billing.assets
        where tenant = %(tenant)s and name_prefix = w.name_prefix and name_key = w.name_key limit 1
    )
    union all (
        select 'name', asset_id, name_key from billing.assets
        where tenant = %(tenant)s and name_prefix = w.name_prefix and name_key > w.name_key
        order by name_key limit %(names_after)s
    )
    union all (
        select 'name', asset_id, name_key from billing.assets
        where tenant = %(tenant)s and name_prefix = w.name_prefix and name_key < w.name_key
        order by name_key desc limit %(names_before)s
    )
) as c on true
