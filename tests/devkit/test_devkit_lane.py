"""A lane before real servers: open, silent, mute, refusing, cut, healed."""

from __future__ import annotations

import asyncio
import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from temporalio.client import Client
from temporalio.service import RPCError

from jobcore_devkit import Lane, PostgresServer, ServerNotRunningError, TemporalServer
from jobcore_devkit._ports import is_free

SECONDS = 30


@pytest.fixture
def lane(jobcore_temporal: TemporalServer) -> Iterator[Lane]:
    with Lane(jobcore_temporal.port) as lane:
        yield lane


@pytest.fixture
def to_postgres(postgres_server: PostgresServer) -> Iterator[tuple[Lane, str]]:
    with Lane(postgres_server.port) as lane:
        yield lane, postgres_server.dsn(tcp=True).replace(f":{postgres_server.port}/", f":{lane.port}/")


async def connect(lane: Lane, seconds: float = SECONDS) -> Client:
    return await asyncio.wait_for(Client.connect(lane.address), seconds)


async def is_healthy(client: Client, seconds: float = SECONDS) -> bool:
    return await client.service_client.check_health(timeout=timedelta(seconds=seconds))


async def test_what_is_sent_passes(lane: Lane):
    assert await is_healthy(await connect(lane))


async def test_nothing_passes_a_black_hole_until_it_is_healed(lane: Lane):
    client = await connect(lane)
    lane.black_hole()
    with pytest.raises(RPCError):
        await is_healthy(client, 0.5)
    waiting = asyncio.create_task(is_healthy(client))
    _, still_waiting = await asyncio.wait({waiting}, timeout=0.5)
    assert still_waiting == {waiting}
    lane.heal()
    assert await waiting


async def test_a_new_connection_into_a_black_hole_is_made_but_silent(lane: Lane):
    lane.black_hole()
    with pytest.raises(TimeoutError):
        await connect(lane, 1)
    lane.heal()
    assert await is_healthy(await connect(lane))


async def test_refusal_ends_old_connections_and_lets_none_in_until_it_is_healed(lane: Lane):
    client = await connect(lane)
    lane.refuse()
    with pytest.raises(RPCError):
        await is_healthy(client, 1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", lane.port), timeout=SECONDS)
    with pytest.raises(RuntimeError, match="[Cc]onnect"):
        await connect(lane)
    lane.heal()
    assert await is_healthy(await connect(lane))
    async with asyncio.timeout(SECONDS):
        while not await comes_back(client):
            pass


async def comes_back(client: Client) -> bool:
    try:
        return await is_healthy(client, 1)
    except RPCError:
        return False


def test_a_cut_ends_the_connections_that_are_there_and_lets_new_ones_in(to_postgres: tuple[Lane, str]):
    lane, dsn = to_postgres
    connection = psycopg.connect(dsn)
    assert connection.execute("SELECT 1").fetchone() == (1,)
    lane.cut()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with psycopg.connect(dsn) as another:
        assert another.execute("SELECT 2").fetchone() == (2,)


def test_a_refusal_after_a_black_hole_ends_what_was_silent(to_postgres: tuple[Lane, str]):
    lane, dsn = to_postgres
    connection = psycopg.connect(dsn)
    lane.black_hole()
    lane.refuse()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_the_server_hears_that_a_client_left_only_after_a_black_hole(
    to_postgres: tuple[Lane, str], postgres_server: PostgresServer, query, wait_until
):
    lane, dsn = to_postgres
    connection = psycopg.connect(dsn)
    pid = connection.info.backend_pid
    lives = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}"
    lane.black_hole()
    connection.close()
    patience = time.monotonic() + 0.5
    while time.monotonic() < patience:
        assert query(postgres_server.dsn(), lives) == 1
    lane.heal()
    wait_until(lambda: query(postgres_server.dsn(), lives) == 0)


def test_a_mute_lane_lets_everything_reach_the_server_and_nothing_come_back(
    to_postgres: tuple[Lane, str], postgres_server: PostgresServer, query, wait_until
):
    lane, dsn = to_postgres
    with closing(psycopg.connect(dsn, autocommit=True)) as connection:
        lane.mute()
        connection.pgconn.send_query(b"SELECT pg_advisory_lock(4711)")
        connection.pgconn.flush()
        taken = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
        wait_until(lambda: query(postgres_server.dsn(), taken) == 1)
        answers = [connection.pgconn.socket]
        assert select.select(answers, [], [], 0.3)[0] == []
        lane.heal()
        assert select.select(answers, [], [], SECONDS)[0] == answers


def test_megabytes_pass_unchanged_through_a_hole(to_postgres: tuple[Lane, str], query):
    lane, dsn = to_postgres
    with psycopg.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        rows = cursor.stream("SELECT repeat(n::text, 1000) FROM generate_series(1, 5000) n")
        assert next(rows) == ("1" * 1000,)
        lane.black_hole()
        lane.heal()
        assert [row[0] for row in rows] == [str(n) * 1000 for n in range(2, 5001)]


def test_a_server_that_is_away_ends_the_connection():
    with PostgresServer.temporary() as server:
        port = server.port
    with Lane(port) as lane, socket.create_connection(("127.0.0.1", lane.port), timeout=SECONDS) as connection:
        assert connection.recv(1) == b""


def test_nothing_remains_after_close(to_postgres: tuple[Lane, str], postgres_server: PostgresServer, query, wait_until):
    lane, dsn = to_postgres
    connection = psycopg.connect(dsn)
    port, pid = lane.port, connection.info.backend_pid
    lane.black_hole()
    lane.close()
    lane.close()
    assert is_free(port)
    wait_until(lambda: query(postgres_server.dsn(), f"SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}") == 0)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    with pytest.raises(ServerNotRunningError):
        lane.cut()


def test_it_has_no_address_before_it_is_started():
    with pytest.raises(ServerNotRunningError, match="call start"):
        _ = Lane(1).address
