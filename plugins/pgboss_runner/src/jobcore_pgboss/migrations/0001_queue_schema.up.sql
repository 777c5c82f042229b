-- The schema of pg-boss at version 46 (pg-boss 12.38, MIT, Tim Jones), so that Node services can share the queue. Its
-- names, types, defaults and index definitions are the interface; the bodies of its functions are ours.
-- A schema that is there already, older or newer, is left as it is: the runner attaches to it.
set local role none;  -- making a schema is the migrating login's right
do $attach$
begin
    if to_regnamespace('pgboss') is null then
        create schema pgboss authorization jobcore_owner;
    else
        grant usage, create on schema pgboss to jobcore_owner;
    end if;
end
$attach$;

set local role jobcore_owner;
do $attach$
declare
    day date;
begin
    -- The lock under which Node's own start creates or upgrades the schema.
    perform pg_advisory_xact_lock(
        ('x' || encode(sha224(convert_to(current_database() || '.pgboss.pgboss', 'UTF8')), 'hex'))::bit(64)::bigint
    );
    -- Asked of the catalog: a schema that Node made may still be closed to this role.
    if exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'pgboss' and c.relname = 'version'
    ) then
        return;
    end if;

    create type pgboss.job_state as enum ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');

    create function pgboss.job_now() returns timestamptz language sql stable
    as $function$ select now() $function$;

    create table pgboss.version (
        version integer primary key,
        cron_on timestamptz,
        bam_on timestamptz,
        flow_on timestamptz,
        reindex_on timestamptz,
        monitor_backoff_on timestamptz
    );

    create table pgboss.queue (
        name text not null primary key,
        policy text not null,
        retry_limit integer not null,
        retry_delay integer not null,
        retry_backoff boolean not null,
        retry_delay_max integer,
        expire_seconds integer not null,
        retention_seconds integer not null,
        deletion_seconds integer not null,
        dead_letter text references pgboss.queue (name) check (dead_letter is distinct from name),
        partition boolean not null,
        table_name text not null,
        deferred_count integer not null default 0,
        blocked_count integer not null default 0,
        queued_count integer not null default 0,
        ready_count integer not null default 0,
        warning_queued integer not null default 0,
        active_count integer not null default 0,
        failed_count integer not null default 0,
        total_count integer not null default 0,
        retained_count integer,
        retained_on timestamptz,
        created_delta integer not null default 0,
        completed_delta integer not null default 0,
        failed_delta integer not null default 0,
        delta_on timestamptz,
        delta_seconds integer,
        wait_bins integer[],
        run_bins integer[],
        ready_oldest_seconds integer,
        ready_history integer[] not null default '{}',
        heartbeat_seconds integer,
        notify boolean not null default false,
        singletons_active text[],
        monitor_claim_on timestamptz,
        monitor_on timestamptz,
        maintain_on timestamptz,
        created_on timestamptz not null default now(),
        updated_on timestamptz not null default now()
    );

    create table pgboss.schedule (
        name text references pgboss.queue on delete cascade,
        key text not null default '',
        kind text not null default 'cron' check (kind in ('cron', 'rrule')),
        cron text not null,
        timezone text default 'UTC',
        data jsonb,
        options jsonb,
        created_on timestamptz not null default now(),
        updated_on timestamptz not null default now(),
        last_job_id uuid,
        primary key (name, key)
    );

    create table pgboss.subscription (
        event text not null,
        name text not null references pgboss.queue on delete cascade,
        created_on timestamptz not null default now(),
        updated_on timestamptz not null default now(),
        primary key (event, name)
    );

    create table pgboss.bam (
        id uuid primary key default gen_random_uuid(),
        name text not null,
        version integer not null,
        status text not null default 'pending',
        queue text,
        table_name text not null,
        command text not null,
        error text,
        created_on timestamptz not null default clock_timestamp(),
        started_on timestamptz,
        completed_on timestamptz
    );

    create table pgboss.job (
        id uuid not null default gen_random_uuid(),
        name text not null,
        priority integer not null default 0,
        data jsonb,
        state pgboss.job_state not null default 'created',
        retry_limit integer not null default 2,
        retry_count integer not null default 0,
        retry_delay integer not null default 0,
        retry_backoff boolean not null default false,
        retry_delay_max integer,
        expire_seconds integer not null default 900,
        deletion_seconds integer not null default 604800,
        singleton_key text,
        singleton_on timestamp,
        group_id text,
        group_tier text,
        start_after timestamptz not null default now(),
        created_on timestamptz not null default now(),
        started_on timestamptz,
        completed_on timestamptz,
        keep_until timestamptz not null default now() + interval '1209600',
        output jsonb,
        dead_letter text,
        policy text,
        heartbeat_on timestamptz,
        heartbeat_seconds integer,
        blocked boolean not null default false,
        blocking boolean not null default false,
        pending_dependencies integer not null default 0,
        source_name text,
        source_id uuid,
        source_created_on timestamptz,
        source_retry_count integer,
        source_output jsonb,
        source_root_id uuid,
        trace_context jsonb,
        upsert_by_key boolean,
        primary key (name, id)
    ) partition by list (name);

    create table pgboss.job_common (like pgboss.job including defaults including generated);
    alter table pgboss.job_common
        add primary key (name, id),
        add constraint q_fkey foreign key (name) references pgboss.queue (name)
            on delete restrict deferrable initially deferred,
        add constraint dlq_fkey foreign key (dead_letter) references pgboss.queue (name)
            on delete restrict deferrable initially deferred,
        add constraint job_key_strict_fifo_singleton_key_check
            check (not (policy = 'key_strict_fifo' and singleton_key is null));

    -- One of each policy at a time.
    create unique index job_common_i1 on pgboss.job_common (name, coalesce(singleton_key, ''))
        where state = 'created' and policy = 'short';
    create unique index job_common_i2 on pgboss.job_common (name, coalesce(singleton_key, ''))
        where state = 'active' and policy = 'singleton';
    create unique index job_common_i3 on pgboss.job_common (name, state, coalesce(singleton_key, ''))
        where state <= 'active' and policy = 'stately';
    create unique index job_common_i6 on pgboss.job_common (name, coalesce(singleton_key, ''))
        where state <= 'active' and policy = 'exclusive';
    create unique index job_common_i8 on pgboss.job_common (name, singleton_key)
        where state in ('active', 'retry', 'failed') and policy = 'key_strict_fifo';
    create index job_common_i10 on pgboss.job_common (name, singleton_key, state desc, created_on, id)
        include (start_after) where state < 'active' and not blocked and policy = 'key_strict_fifo';
    -- Throttled sends, and updates by key.
    create unique index job_common_i4 on pgboss.job_common (name, singleton_on, coalesce(singleton_key, ''))
        where state <> 'cancelled' and singleton_on is not null;
    create unique index job_common_i13 on pgboss.job_common (name, singleton_key)
        where state = 'created' and upsert_by_key;
    create index job_common_i17 on pgboss.job_common (name, singleton_key, created_on)
        where state < 'active' and singleton_key is not null;
    -- The fetch, and the counts.
    create index job_common_i11 on pgboss.job_common (name, priority desc, created_on, start_after)
        where state < 'active' and not blocked;
    create index job_common_i7 on pgboss.job_common (name, group_id) where state = 'active' and group_id is not null;
    create index job_common_i9 on pgboss.job_common (name, id) where blocking and state = 'completed';
    create index job_common_i12 on pgboss.job_common (source_root_id) where source_root_id is not null;
    create index job_common_i14 on pgboss.job_common (name, state, blocked, start_after)
        where state in ('created', 'retry', 'active', 'failed');
    create index job_common_i15 on pgboss.job_common (name, created_on);
    create index job_common_i16 on pgboss.job_common (name, completed_on) where completed_on is not null;

    alter table pgboss.job attach partition pgboss.job_common default;

    create table pgboss.job_dependency (
        child_name text not null,
        child_id uuid not null,
        parent_name text not null,
        parent_id uuid not null,
        primary key (child_name, child_id, parent_name, parent_id)
    );
    create index job_dep_parent_idx on pgboss.job_dependency (parent_name, parent_id);

    create table pgboss.warning (
        id uuid primary key default gen_random_uuid(),
        type text not null,
        message text not null,
        data jsonb,
        created_on timestamptz not null default now()
    );
    create index warning_i1 on pgboss.warning (created_on desc);

    create table pgboss.queue_stats (
        id uuid not null default gen_random_uuid(),
        name text not null,
        deferred_count integer not null default 0,
        queued_count integer not null default 0,
        ready_count integer not null default 0,
        active_count integer not null default 0,
        failed_count integer not null default 0,
        total_count integer not null default 0,
        created_delta integer,
        completed_delta integer,
        failed_delta integer,
        delta_seconds integer,
        delta_on timestamptz,
        wait_bins integer[],
        run_bins integer[],
        ready_oldest_seconds integer,
        captured_on timestamptz not null default now(),
        primary key (id, captured_on)
    ) partition by range (captured_on);
    create index queue_stats_i1 on pgboss.queue_stats (name, captured_on desc)
        include (deferred_count, queued_count, ready_count, active_count, failed_count, total_count);
    -- Today's and tomorrow's (UTC); a Node instance adds the later ones.
    for day in select (now() at time zone 'UTC')::date + ahead from generate_series(0, 1) ahead loop
        execute format(
            'create table pgboss.%I partition of pgboss.queue_stats for values from (%L) to (%L)',
            'queue_stats_' || to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', day + 1 || ' 00:00:00+00'
        );
    end loop;

    create table pgboss.instance (
        id uuid primary key,
        name text,
        host text not null,
        pid integer not null,
        version text not null,
        node_version text not null,
        application_name text,
        heartbeat_seconds integer not null,
        supervise boolean not null,
        schedule boolean not null,
        migrate boolean not null,
        persist_queue_stats boolean not null,
        persist_warnings boolean not null,
        pool_max integer,
        pool_total integer,
        pool_idle integer,
        pool_waiting integer,
        workers jsonb not null default '[]',
        metrics jsonb,
        config jsonb not null default '{}',
        crash_restarts integer not null default 0,
        crash_restarts_since timestamptz,
        started_on timestamptz not null default now(),
        heartbeat_on timestamptz not null default now(),
        stopped_on timestamptz
    );

    -- A command written for `job`, rewritten for one of its partitions: the table, and the names of its indexes.
    create function pgboss.job_table_format(command text, table_name text) returns text language sql immutable
    as $function$
        select replace(
            regexp_replace(
                regexp_replace(command, '\.job\M', '.' || quote_ident(table_name), 'g'), '\mjob_i(?=\d)', '<job>_i', 'g'
            ),
            '<job>', table_name
        )
    $function$;

    create function pgboss.job_table_run(command text, tbl_name text default null, queue_name text default null)
    returns void language plpgsql
    as $function$
    declare
        target text;
    begin
        for target in
            select t.name
            from (
                select coalesce((select q.table_name from pgboss.queue q where q.name = queue_name), tbl_name) as name
                where queue_name is not null or tbl_name is not null
                union all
                select 'job_common' where queue_name is null and tbl_name is null
                union all
                select q.table_name from pgboss.queue q
                where q.partition and queue_name is null and tbl_name is null
            ) t
            where t.name is not null
        loop
            execute pgboss.job_table_format(command, target);
        end loop;
    end
    $function$;

    create function pgboss.job_table_run_async(
        command_name text, version integer, command text, tbl_name text default null, queue_name text default null
    ) returns void language sql
    as $function$
        insert into pgboss.bam (name, version, queue, table_name, command)
        select command_name, job_table_run_async.version, t.queue, t.name, pgboss.job_table_format(command, t.name)
        from (
            select queue_name as queue,
                coalesce((select q.table_name from pgboss.queue q where q.name = queue_name), tbl_name) as name
            where queue_name is not null or tbl_name is not null
            union all
            select null, 'job_common' where queue_name is null and tbl_name is null
            union all
            select q.name, q.table_name from pgboss.queue q
            where q.partition and queue_name is null and tbl_name is null
        ) t
        where t.name is not null
    $function$;

    create function pgboss.create_queue(queue_name text, options jsonb) returns void language plpgsql
    as $function$
    declare
        partitioned boolean := coalesce((options ->> 'partition')::boolean, false);
        own_table text := case when partitioned then 'j' || encode(sha224(queue_name::bytea), 'hex') else 'job_common' end;
        policy text := options ->> 'policy';
        command text;
    begin
        insert into pgboss.queue (
            name, policy, retry_limit, retry_delay, retry_backoff, retry_delay_max, expire_seconds, retention_seconds,
            deletion_seconds, warning_queued, dead_letter, partition, table_name, heartbeat_seconds, notify,
            created_on, updated_on
        )
        values (
            queue_name,
            policy,
            coalesce((options ->> 'retryLimit')::integer, 2),
            coalesce((options ->> 'retryDelay')::integer, 0),
            coalesce((options ->> 'retryBackoff')::boolean, false),
            (options ->> 'retryDelayMax')::integer,
            coalesce((options ->> 'expireInSeconds')::integer, 900),
            coalesce((options ->> 'retentionSeconds')::integer, 1209600),
            coalesce((options ->> 'deleteAfterSeconds')::integer, 604800),
            coalesce((options ->> 'warningQueueSize')::integer, 0),
            options ->> 'deadLetter',
            partitioned,
            own_table,
            (options ->> 'heartbeatSeconds')::integer,
            coalesce((options ->> 'notify')::boolean, false),
            pgboss.job_now(),
            pgboss.job_now()
        )
        on conflict do nothing;
        if not found or not partitioned then
            return;
        end if;

        execute format('create table pgboss.%I (like pgboss.job including defaults)', own_table);
        foreach command in array array[
            'alter table pgboss.job add primary key (name, id)',
            'alter table pgboss.job add constraint q_fkey foreign key (name)
                references pgboss.queue (name) on delete restrict deferrable initially deferred',
            'alter table pgboss.job add constraint dlq_fkey foreign key (dead_letter)
                references pgboss.queue (name) on delete restrict deferrable initially deferred',
            $ddl$create unique index job_i4 on pgboss.job (name, singleton_on, coalesce(singleton_key, ''))
                where state <> 'cancelled' and singleton_on is not null$ddl$,
            $ddl$create index job_i7 on pgboss.job (name, group_id)
                where state = 'active' and group_id is not null$ddl$,
            $ddl$create index job_i9 on pgboss.job (name, id) where blocking and state = 'completed'$ddl$,
            $ddl$create index job_i11 on pgboss.job (name, priority desc, created_on, start_after)
                where state < 'active' and not blocked$ddl$,
            'create index job_i12 on pgboss.job (source_root_id) where source_root_id is not null',
            $ddl$create unique index job_i13 on pgboss.job (name, singleton_key)
                where state = 'created' and upsert_by_key$ddl$,
            $ddl$create index job_i14 on pgboss.job (name, state, blocked, start_after)
                where state in ('created', 'retry', 'active', 'failed')$ddl$,
            'create index job_i15 on pgboss.job (name, created_on)',
            'create index job_i16 on pgboss.job (name, completed_on) where completed_on is not null',
            $ddl$create index job_i17 on pgboss.job (name, singleton_key, created_on)
                where state < 'active' and singleton_key is not null$ddl$
        ] || case policy
            when 'short' then array[
                $ddl$create unique index job_i1 on pgboss.job (name, coalesce(singleton_key, ''))
                    where state = 'created' and policy = 'short'$ddl$]
            when 'singleton' then array[
                $ddl$create unique index job_i2 on pgboss.job (name, coalesce(singleton_key, ''))
                    where state = 'active' and policy = 'singleton'$ddl$]
            when 'stately' then array[
                $ddl$create unique index job_i3 on pgboss.job (name, state, coalesce(singleton_key, ''))
                    where state <= 'active' and policy = 'stately'$ddl$]
            when 'exclusive' then array[
                $ddl$create unique index job_i6 on pgboss.job (name, coalesce(singleton_key, ''))
                    where state <= 'active' and policy = 'exclusive'$ddl$]
            when 'key_strict_fifo' then array[
                $ddl$create unique index job_i8 on pgboss.job (name, singleton_key)
                    where state in ('active', 'retry', 'failed') and policy = 'key_strict_fifo'$ddl$,
                $ddl$create index job_i10 on pgboss.job (name, singleton_key, state desc, created_on, id)
                    include (start_after) where state < 'active' and not blocked and policy = 'key_strict_fifo'$ddl$,
                $ddl$alter table pgboss.job add constraint job_key_strict_fifo_singleton_key_check
                    check (not (policy = 'key_strict_fifo' and singleton_key is null))$ddl$]
            else array[]::text[]
        end loop
            execute pgboss.job_table_format(command, own_table);
        end loop;
        execute format('alter table pgboss.%I add constraint cjc check (name = %L)', own_table, queue_name);
        execute format('alter table pgboss.job attach partition pgboss.%I for values in (%L)', own_table, queue_name);
    end
    $function$;

    create function pgboss.delete_queue(queue_name text) returns void language plpgsql
    as $function$
    declare
        doomed pgboss.queue;
    begin
        select * into doomed from pgboss.queue where name = queue_name;
        if doomed.partition then
            execute format('drop table if exists pgboss.%I', doomed.table_name);
        else
            delete from pgboss.job where name = queue_name;
        end if;
        delete from pgboss.queue where name = queue_name;
    end
    $function$;

    insert into pgboss.version (version) values (46);
end
$attach$;
