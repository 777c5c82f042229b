-- The founding documents' own two tables (S01 to S03). Tables of this shape that are already here are adopted, with their
-- rows; `jobcore.found` remembers what was found, so that `down` leaves it behind. Anything else under these names is
-- refused.
set local role none;  -- what was found may belong to the migrating login, and only it can hand it over

create table jobcore.found (
    object text primary key,
    was text not null
);
comment on table jobcore.found is 'What the first migration found in place, and how it was: `down` restores it.';

create function pg_temp.columns_of(relation regclass) returns table (name name, type text)
language sql as $$
    select attname, format_type(atttypid, null)
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped
$$;

create function pg_temp.refuse_unless(relation regclass, primary_key name[], wanted jsonb) returns void
language plpgsql as $$
declare
    problems text;
    key name[];
begin
    select string_agg(
        case
            when c.name is null then format('column %I is missing', w.key)
            else format('column %I is %s, not %s', w.key, c.type, array_to_string(w.types, ' or '))
        end, '; ' order by w.key)
    into problems
    from (select e.key, array(select jsonb_array_elements_text(e.value)) as types from jsonb_each(wanted) e) w
    left join pg_temp.columns_of(relation) c on c.name = w.key
    where c.name is null or not c.type = any (w.types);

    select array_agg(a.attname order by k.place)
    into key
    from pg_index i
    cross join unnest(i.indkey) with ordinality k (attnum, place)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    where i.indrelid = relation and i.indisprimary;
    if key is distinct from primary_key then
        problems := concat_ws('; ', problems, format('its primary key is (%s), not (%s)',
            coalesce(array_to_string(key, ', '), 'none'), array_to_string(primary_key, ', ')));
    end if;

    if problems is not null then
        raise exception using
            errcode = 'JC001',
            message = format('table %s exists and is not the founding table of that name: %s', relation, problems),
            hint = 'Rename that table, or give jobcore another database. Nothing was changed.';
    end if;
end
$$;

do $$
declare
    item record;
begin
    for item in
        select c.oid, c.relname, c.relkind
        from pg_class c
        where c.relnamespace = 'public'::regnamespace
            and c.relname in ('jobs', 'job_details', 'cron_jobs')
    loop
        if item.relkind <> 'r' or item.relname = 'cron_jobs' then
            raise exception using
                errcode = 'JC001',
                message = format('public.%I exists and is not a table of the founding documents', item.relname),
                hint = 'Rename it, or give jobcore another database. Nothing was changed.';
        end if;
    end loop;

    if to_regclass('public.jobs') is not null then
        perform pg_temp.refuse_unless('public.jobs', '{tenant,job_id}', '{
            "tenant": ["uuid"], "job_id": ["uuid"], "type": ["character varying", "text"], "metadata": ["jsonb"],
            "status": ["public.job_status"], "created_at": ["timestamp with time zone"],
            "updated_at": ["timestamp with time zone"], "user_id": ["uuid"]}');
        insert into jobcore.found
        select 'table jobs', pg_get_userbyid(relowner) from pg_class where oid = 'public.jobs'::regclass;
    end if;
    if to_regclass('public.job_details') is not null then
        perform pg_temp.refuse_unless('public.job_details', '{tenant,detail_id}', '{
            "tenant": ["uuid"], "detail_id": ["uuid"], "job_id": ["uuid"],
            "step_name": ["character varying", "text"], "status": ["character varying", "text", "public.job_status"],
            "result": ["jsonb"], "processed_at": ["timestamp with time zone"], "retry_count": ["integer"],
            "metadata": ["jsonb"]}');
        insert into jobcore.found
        select 'table job_details', pg_get_userbyid(relowner) from pg_class where oid = 'public.job_details'::regclass;
        insert into jobcore.found
        select 'column job_details.status', type from pg_temp.columns_of('public.job_details') where name = 'status';
    end if;
    if to_regtype('public.job_status') is not null then
        insert into jobcore.found
        select 'type job_status', pg_get_userbyid(typowner) from pg_type where oid = 'public.job_status'::regtype;
    end if;
end
$$;

-- A login that owned the tables keeps reading and writing them: it joins the engine's role.
do $$
declare
    former record;
begin
    for former in
        select distinct f.was as owner
        from jobcore.found f
        join pg_roles r on r.rolname = f.was
        where f.object like 'table %' and not r.rolsuper and not pg_has_role(r.oid, 'jobcore_worker', 'member')
    loop
        execute format('grant jobcore_worker to %I', former.owner);
    end loop;
    if exists (select from jobcore.found where object = 'table jobs') then
        alter table public.jobs owner to jobcore_owner;
    end if;
    if exists (select from jobcore.found where object = 'table job_details') then
        alter table public.job_details owner to jobcore_owner;
    end if;
    if exists (select from jobcore.found where object = 'type job_status') then
        alter type public.job_status owner to jobcore_owner;
    end if;
end
$$;
drop function pg_temp.refuse_unless(regclass, name[], jsonb);
drop function pg_temp.columns_of(regclass);
alter table jobcore.found owner to jobcore_owner;

set local role jobcore_owner;

do $$
begin
    if to_regtype('public.job_status') is null then
        create type public.job_status as enum ('pending', 'processing', 'completed', 'failed', 'active', 'queued');
    end if;
end
$$;

create table if not exists public.jobs (
    tenant uuid not null,
    job_id uuid not null default gen_random_uuid(),
    type varchar not null,
    metadata jsonb,
    status public.job_status not null default 'pending',
    created_at timestamptz not null default now(),
    updated_at timestamptz,
    user_id uuid not null,
    primary key (tenant, job_id)
);

create table if not exists public.job_details (
    tenant uuid not null,
    detail_id uuid not null default gen_random_uuid(),
    job_id uuid not null,
    step_name varchar not null,
    status varchar,
    result jsonb,
    processed_at timestamptz,
    retry_count integer not null default 0,
    metadata jsonb,
    primary key (tenant, detail_id),
    foreign key (tenant, job_id) references public.jobs (tenant, job_id)
);
