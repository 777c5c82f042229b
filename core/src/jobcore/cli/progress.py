"""Waits for jobs, with a progress bar on standard error where that is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import JobRecord

Show = Callable[[float | None, str], None]
"""Shows percent, if they are known, and a text."""


@contextmanager
def progress_bar(title: str) -> Generator[Show]:
    """Give a function that moves the bar; it does nothing where nobody would see it."""
    if not sys.stderr.isatty():
        yield lambda _percent, _text: None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(title), total=None)

        def show(percent: float | None, text: str) -> None:
            total = None if percent is None else 100
            bar.update(task, completed=percent or 0, total=total, description=escape(f"{title}: {text}"))

        yield show


async def wait_for_job(app: JobApp, tenant: UUID | str, job_id: UUID, timeout: timedelta | None) -> JobRecord:
    """Return the job once it has ended.

    Raises:
        JobNotFoundError: if there is none.
        ResultTimeoutError: if it has not ended within `timeout`.
    """
    from jobcore.app.handle import wait_for_end
    from jobcore.cli.output import printable

    with progress_bar(f"Job {job_id}") as show:

        async def read() -> JobRecord:
            job = await app.get_job(tenant, job_id)
            show(job.progress, printable(job.progress_message or job.status.value))
            return job

        return await wait_for_end(read, None if timeout is None else timeout.total_seconds(), job_id)
