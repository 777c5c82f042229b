"""Checks of what runs: the storage, the engine, the queues, the workers, and what plugins look at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jobcore.cli.doctor.diagnosis import Finding, fault, skipped, well
from jobcore.cli.errors import failure_of_fault
from jobcore.cli.pausing.named import words
from jobcore.cli.pausing.view import circumstances
from jobcore.errors import JobcoreError, SchemaVersionError, StorageUnavailableError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.plugins.registries import RegisteredCheck

CHECK_SECONDS = 30.0
"""How long one check of a plugin may take."""


async def ask_plugins(app: JobApp) -> list[Finding]:
    """Run the checks that plugins brought; one that raises or hangs has failed."""
    return [await _ask(check, app) for check in app.plugins.checks]


async def check_operation(app: JobApp) -> list[Finding]:
    """Connect, and look at the engine, the queues and the workers."""
    try:
        async with app:
            return [
                await _storage(app),
                *await _runners(app),
                await _workers(app),
                await _queues(app),
                await _pauses(app),
            ]
    except JobcoreError as error:
        return [fault("connection", str(error), _remedy(error))]


async def _ask(check: RegisteredCheck, app: JobApp) -> Finding:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            result = await check.check(app)
    except TimeoutError:
        return fault(check.name, f"The check of {check.origin} did not end within {CHECK_SECONDS:g} s.")
    except StorageUnavailableError:
        return skipped(check.name, "the database cannot be reached")
    except JobcoreError as error:
        return fault(check.name, str(error), _remedy(error))
    except Exception as error:  # noqa: BLE001 - whatever a plugin's check raises is its finding
        return fault(check.name, f"The check of {check.origin} raised: {failure_of_fault(error).message}")
    if not result.ok:
        return fault(result.name, result.message, result.remedy)
    return well(result.name, result.message, result.remedy)


async def _storage(app: JobApp) -> Finding:
    seconds = await app.store.ping()
    return well("storage", f"{app.store.storage_type} answers in {seconds * 1000:.1f} ms")


async def _runners(app: JobApp) -> list[Finding]:
    health = await app.health()
    return [
        well(f"runner {name}", f"healthy; {answer.queue_size or 0} jobs wait")
        if answer.healthy
        else fault(f"runner {name}", answer.detail)
        for name, answer in health.runners.items()
    ]


async def _workers(app: JobApp) -> Finding:
    workers = await app.store.live_workers()
    if not workers:
        return well("workers", "no worker is live", "Start one with `jobcore worker`; jobs wait until then.")
    told = ", ".join(f"{worker.host}:{worker.pid} ({worker.runner_type})" for worker in workers)
    return well("workers", f"{len(workers)} live: {told}")


async def _queues(app: JobApp) -> Finding:
    sizes = {queue: size for queue, size in (await app.queue_sizes()).items() if size}
    served = {queue for worker in await app.store.live_workers() for queue in worker.queues}
    waiting = _told(sizes.items()) or "nothing waits"
    if served and (unserved := sorted(set(sizes) - served)):
        return well(
            "queues",
            f"{waiting}; served by no live worker: {', '.join(unserved)}",
            "Start a worker that has the handlers of these queues.",
        )
    return well("queues", waiting)


async def _pauses(app: JobApp) -> Finding:
    stand = [f"{words(pause.kind, pause.name)}{circumstances(pause)}" for pause in await app.pauses()]
    return well("pauses", "\n".join(stand) or "nothing is paused")


def _told(sizes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{queue}: {size}" for queue, size in sorted(sizes))


def _remedy(error: JobcoreError) -> str:
    if isinstance(error, SchemaVersionError):
        return "Run `jobcore migrate up`, or install the version that made this schema."
    if isinstance(error, StorageUnavailableError):
        return "Start the database, or correct DATABASE_URL."
    return ""
