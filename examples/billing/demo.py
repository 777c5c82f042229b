"""`make demo`: a month's end for three made-up tenants, on a real PostgreSQL, with a worker killed in the middle.

Every due billing cycle is billed by a `generate-invoice` job, while one of the two workers dies by SIGKILL; then all
invoices are printed and archived by `invoice_zip`. What was billed is compared with what `expected.py` works out from
the input files alone. Exits non-zero if anything is missing, wrong or billed twice.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from billing_check import check_archives, check_invoices
from billing_workers import Workers
from expected import expected_invoices
from load import load
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jobcore.app import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.models import JobFilter
from jobcore.states import TERMINAL_STATES, JobState
from jobcore_devkit import PostgresServer
from jobcore_handlers.bundles import BILLING_READ, request_bundle
from jobcore_handlers.bundles.handler import invoice_zip
from jobcore_handlers.invoicing.handler import generate_invoice
from jobcore_handlers.invoicing.payload import GenerateInvoice
from jobcore_postgres.migrations import migrate

OUTPUT = Path("demo-output")
LEASE_SECONDS = 2
RESCUE_INTERVAL_SECONDS = 1
PATIENCE = 90.0
"""Seconds to wait for each of the two rounds of jobs."""

Handle = AppJobHandle[dict[str, object]]

console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class DueCycle:
    """A billing cycle that is over."""

    tenant: UUID
    client_id: UUID
    billing_cycle_id: UUID


def main() -> int:
    """Run the demo; return the exit code."""
    began = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    with PostgresServer.temporary(durable=True) as server:
        dsn = server.dsn()
        configure(dsn)
        migrate(dsn)
        rows = load(dsn)
        console.print(
            f"PostgreSQL {server.version} runs, migrated; {sum(rows.values())} rows of sample data are loaded."
        )
        with Workers(OUTPUT) as workers:
            problems = asyncio.run(month_end(dsn, workers))
    return verdict(problems, time.monotonic() - began)


def verdict(problems: Sequence[str], seconds: float) -> int:
    """Say what is wrong, if anything is; return the exit code."""
    for problem in problems:
        console.print(f"[red]wrong[/red]  {problem}")
    console.print(f"{'[red]The demo failed' if problems else '[green]All is right'}[/] after {seconds:.0f} s.")
    return 1 if problems else 0


def configure(dsn: str) -> None:
    """Set what the application here and the workers need; the short lease shows a rescue within seconds."""
    os.environ |= {
        "DATABASE_URL": dsn,
        "JOBCORE_PGBOSS__LEASE_SECONDS": str(LEASE_SECONDS),
        "JOBCORE_PGBOSS__RESCUE_INTERVAL_SECONDS": str(RESCUE_INTERVAL_SECONDS),
        "JOBCORE_BUILTIN__FILES": str(OUTPUT / "files"),
    }


async def month_end(dsn: str, workers: Workers) -> list[str]:
    """Bill, lose a worker, archive; return what is wrong at the end."""
    cycles = due_cycles(dsn)
    async with JobApp() as app:
        await workers.ready(app, 2)
        console.print(
            f"{len(cycles)} billing cycles are due; two workers bill them, and one of the two will be killed."
        )
        billing = await bill(app, cycles)
        await watch(app, "billing", billing, at=len(billing) // 4, then=workers.kill_one)
        bundling = await archive(app, dsn)
        await watch(app, "archives", bundling)
        await report(app, workers)
        return await problems_of(dsn, billing, bundling)


async def problems_of(dsn: str, billing: Sequence[Handle], bundling: Sequence[Handle]) -> list[str]:
    """Return what did not complete, and what differs from what was worked out from the input files."""
    archives = [await job.result(timeout=1) for job in bundling if await has_completed(job)]
    invoices = expected_invoices()
    return [
        *[f"{job.job_id} did not complete" for job in (*billing, *bundling) if not await has_completed(job)],
        *check_invoices(console, dsn, invoices),
        *check_archives(console, OUTPUT / "files", archives, invoices),
    ]


async def bill(app: JobApp, cycles: Sequence[DueCycle]) -> list[Handle]:
    """Enqueue one `generate-invoice` for each cycle that is due."""
    wanted = [
        GenerateInvoice(tenant_id=due.tenant, client_id=due.client_id, billing_cycle_id=due.billing_cycle_id)
        for due in cycles
    ]
    return list(await app.enqueue_many(generate_invoice, wanted))


async def archive(app: JobApp, dsn: str) -> list[Handle]:
    """Enqueue one `invoice_zip` for each tenant, over all its invoices."""
    jobs: list[Handle] = []
    for tenant, requester, invoices in invoices_by_tenant(dsn):
        payload = request_bundle(
            tenant=tenant,
            requester=requester,
            permissions=[BILLING_READ],
            invoice_ids=invoices,
            job_service_id=f"demo-{tenant}",
        )
        jobs.append(await app.enqueue(invoice_zip, payload))
    return jobs


async def watch(app: JobApp, title: str, jobs: Sequence[Handle], *, at: int = 0, then: object = None) -> None:
    """Show how far `jobs` are until all have ended or patience runs out; call `then` once `at` of them have."""
    deadline = time.monotonic() + PATIENCE
    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(title, total=len(jobs))
        ended = 0
        while ended < len(jobs) and time.monotonic() < deadline:
            ended = await count_ended(app, {job.job_id for job in jobs})
            bars.update(bar, completed=ended)
            if callable(then) and ended >= at:
                bars.console.print(then())
                then = None
            await asyncio.sleep(0.05)


async def count_ended(app: JobApp, job_ids: set[UUID]) -> int:
    ended = await app.find_jobs(where=JobFilter(states=tuple(TERMINAL_STATES), limit=1000))
    return sum(job.job_id in job_ids for job in ended)


async def has_completed(job: Handle) -> bool:
    return (await job.status()).status is JobState.COMPLETED


async def report(app: JobApp, workers: Workers) -> None:
    """Say how the jobs ended, and what the kill did."""
    jobs = await app.find_jobs(where=JobFilter(limit=1000))
    for name, states in sorted(
        (name, Counter(job.status for job in jobs if job.type == name)) for name in {job.type for job in jobs}
    ):
        console.print(f"{name:18}" + ", ".join(f"{count} {state}" for state, count in sorted(states.items())))
    lost = [job for job in jobs if job.rescues]
    console.print(
        f"Worker {workers.killed_pid} died by SIGKILL holding {len(lost)} jobs; the other took them after the lease of "
        f"{LEASE_SECONDS} s (5 minutes by default, short here for show)."
    )


def due_cycles(dsn: str) -> list[DueCycle]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select tenant, client_id, billing_cycle_id from billing.client_billing_cycles "
            "where coalesce(period_end_date, effective_date) <= current_date order by tenant, effective_date"
        ).fetchall()
    return [DueCycle(*row) for row in rows]


def invoices_by_tenant(dsn: str) -> list[tuple[UUID, UUID, list[UUID]]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            "select tenant, (select user_id from billing.users u where u.tenant = i.tenant order by user_id limit 1), "
            "array_agg(invoice_id order by invoice_number) from billing.invoices i group by tenant order by tenant"
        ).fetchall()


if __name__ == "__main__":
    sys.exit(main())
