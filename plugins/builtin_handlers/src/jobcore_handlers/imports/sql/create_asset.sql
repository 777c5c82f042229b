-- The asset, its item and its mapping, all or none. The asset's id comes from the import and the row.
with created as (
    insert into billing.assets (
        tenant, asset_id, client_id, name, asset_type, asset_tag, serial_number, mac_address, ip_address, purchase_date,
        warranty_end_date, created_by
    )
    values (
        %(tenant)s, %(asset)s, %(client)s, %(name)s, %(asset_type)s, %(asset_tag)s, %(serial_number)s, %(mac_address)s,
        %(ip_address)s, %(purchase_date)s, %(warranty_end_date)s, %(user)s
    )
),

mapped as (
    insert into billing.external_entity_mappings (
        tenant, import_source_id, external_id, asset_id, row_sha256, import_job_id
    )
    values (%(tenant)s, %(source)s, %(external_id)s, %(asset)s, %(sha256)s, %(import_job)s)
    on conflict (tenant, import_source_id, external_id) do update set
        asset_id = excluded.asset_id, row_sha256 = excluded.row_sha256, import_job_id = excluded.import_job_id,
        updated_at = now()
)

insert into billing.import_job_items (tenant, import_job_id, row_number, status, asset_id, source_data)
values (%(tenant)s, %(import_job)s, %(row)s, 'created', %(asset)s, %(source_data)s)
