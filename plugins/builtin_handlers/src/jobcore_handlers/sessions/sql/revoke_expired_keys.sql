with revoked as (
    update billing.api_keys
    set active = false,
        metadata = metadata || jsonb_build_object('revoked_at', now(), 'revoked_reason', 'expired')
    where tenant = %(tenant)s and purpose = 'ai_session' and active and expires_at < now()
    returning api_key_id
)
select count(*) from revoked
