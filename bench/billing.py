"""`python -m bench.billing`: a tenant's clients billed in one run, by one worker process; its pace and its memory.

Each client has a monthly fee of as many cents as its number, and five entries of half an hour; what all of it comes to
is reckoned here, and compared with the invoices. Linux only: a process's memory is read from `/proc`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from jobcore.app import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore_devkit import PostgresServer
from jobcore_devkit.databases import create_database
from jobcore_handlers.invoicing.handler import generate_invoice
from jobcore_handlers.invoicing.payload import GenerateInvoice
from jobcore_postgres.migrations import migrate

MANY_CLIENTS = (Path(__file__).parent / "sql/many_clients.sql").read_bytes()
FILLED = b"analyze " + b", ".join(sorted(set(re.findall(rb"insert into (billing\.\w+)", MANY_CLIENTS))))
"""As autovacuum does: it passes over tables that are empty, such as that of the invoices."""
WORK_OF_A_CLIENT = 30_000
"""Cents: five entries of half an hour at 120.00 an hour."""
LOOK = 0.2
"""Seconds between two looks at how far it is."""
SHARES = 10


@dataclass(frozen=True)
class Reading:
    """How far it was, when, and how large the worker's process was."""

    billed: int
    seconds: float
    memory_mb: float


def add_clients(dsn: str, clients: int) -> UUID:
    """Write a tenant with so many clients; return the tenant."""
    tenant = uuid4()
    with psycopg.connect(dsn) as connection:
        connection.execute(MANY_CLIENTS, {"tenant": tenant, "clients": clients, "fee": uuid4(), "work": uuid4()})
        connection.execute(FILLED)
    return tenant


async def bill_all(dsn: str, tenant: UUID, clients: int) -> list[Reading]:
    """Enqueue one job a client, have a process of a worker run them, and return readings, a tenth of the work apart."""
    with psycopg.connect(dsn) as connection:
        cycles = connection.execute("select client_id, billing_cycle_id from billing.client_billing_cycles").fetchall()
    payloads = [GenerateInvoice(tenant_id=tenant, client_id=client, billing_cycle_id=cycle) for client, cycle in cycles]
    async with JobApp(quiet_settings(database={"url": dsn})) as app:
        await app.enqueue_many(generate_invoice, payloads, tenant=tenant)
        async with _worker(dsn) as process:
            return await _watch(app, tenant, clients, process)


@asynccontextmanager
async def _worker(dsn: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("jobcore"), "worker", env={**os.environ, "DATABASE_URL": dsn},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _watch(app: JobApp, tenant: UUID, clients: int, worker: asyncio.subprocess.Process) -> list[Reading]:
    readings: list[Reading] = []
    began: float | None = None
    while not readings or readings[-1].billed < clients:
        by_state = (await app.metrics(tenant)).by_state
        ended = sum(count for state, count in by_state.items() if state.is_terminal)
        if began is None and ended:
            began = time.perf_counter()
        if began is not None and ended >= (len(readings) + 1) * clients // SHARES:
            readings.append(Reading(ended, time.perf_counter() - began, _memory_mb(worker.pid)))
        if worker.returncode is not None:
            raise RuntimeError(f"The worker ended with {worker.returncode} before all was billed.")
        await asyncio.sleep(LOOK)
    return readings


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]
    return int(kilobytes) / 1024


def check(dsn: str, clients: int) -> None:
    """Raise `RuntimeError` if the invoices are not one a client, of the right total."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select count(*), count(distinct client_id), sum(total)::bigint from billing.invoices"
        ).fetchone()
    expected = (clients, clients, clients * WORK_OF_A_CLIENT + clients * (clients + 1) // 2)
    if found != expected:
        raise RuntimeError(f"Invoices, clients, cents: {found}; expected {expected}.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.billing", description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    clients = parser.parse_args().clients
    with PostgresServer.temporary(durable=True) as postgres:
        create_database(postgres, "bench")
        dsn = postgres.dsn("bench")
        migrate(dsn)
        tenant = add_clients(dsn, clients)
        readings = asyncio.run(bill_all(dsn, tenant, clients))
        check(dsn, clients)
    for reading in readings:
        print(f"{reading.billed:7} billed  {reading.seconds:7.1f} s  {reading.memory_mb:6.1f} MB")
    last = readings[-1]
    print(f"{last.billed / last.seconds:.0f} invoices a second, every total right")
    return 0


if __name__ == "__main__":
    sys.exit(main())
