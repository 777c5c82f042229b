"""What `cancel` and `retry` share: do one thing to several jobs, and tell of each what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

Act = Callable[["JobApp", UUID], Awaitable[bool]]


def act_on_jobs(jobs: Sequence[UUID], tenant: str, act: Act, *, done: str, refused: str, as_json: bool) -> None:
    """Do `act` to each job, and exit with 1 if any of them refused.

    Args:
        done, refused: what to say of a job; `{status}` stands for where it is.

    Raises:
        JobNotFoundError: if there is no such job; those before it are done.
    """

    async def work(application: JobApp) -> list[dict[str, Any]]:
        return [await _act_on(application, tenant, job, act) for job in jobs]

    answers = ask(work)
    if as_json:
        output.show_document({"jobs": answers})
    else:
        for answer in answers:
            words = done if answer["done"] else refused
            output.show_line(f"{answer['job_id']}: {words.format(status=answer['status'])}")
    if not all(answer["done"] for answer in answers):
        raise typer.Exit(ExitCode.FAILED)


async def _act_on(application: JobApp, tenant: str, job: UUID, act: Act) -> dict[str, Any]:
    before = await application.get_job(tenant, job)
    done = await act(application, job)
    after = await application.get_job(tenant, job) if done else before
    return {"job_id": job, "done": done, "status": after.status}
