-- A new UUID of version 7 (RFC 9562, section 5.7): a random one whose first six bytes are the time in milliseconds, and
-- whose version's bits go from 0100 to 0111.
create or replace function jobcore.tenant_uuid7() returns uuid
language sql volatile
as $$
    select encode(set_bit(set_bit(timed.bytes, 52, 1), 53, 1), 'hex')::uuid
    from (
        select overlay(
            uuid_send(gen_random_uuid())
            placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
            from 1 for 6) as bytes
    ) timed
$$;
