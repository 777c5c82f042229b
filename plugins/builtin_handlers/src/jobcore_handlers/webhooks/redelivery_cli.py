"""`jobcore webhooks redeliver`: sending again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.errors import UsageError
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AsJson, Tenant, read_since
from jobcore.ids import parse_tenant

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore_handlers.webhooks.redelivery import Redelivery


def redeliver(
    *,
    tenant: Tenant,
    event: Annotated[UUID | None, typer.Option("--event", metavar="EVENT", help="The message of this event.")] = None,
    subscription: Annotated[
        UUID | None, typer.Option("--subscription", metavar="SUBSCRIPTION", help="What this one did not take,")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME|DURATION", help="since then: an instant, or '2 hours' ago.")
    ] = None,
    delivered_too: Annotated[bool, typer.Option("--delivered-too", help="And also what it did take.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many messages, the oldest first.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """Send messages again, with the ids that they had. Exits with 1 if one is lost, because its job was deleted."""
    start, whose = read_since(since), parse_tenant(tenant)
    if event is not None and subscription is None and start is None:
        _show(ask(lambda application: _redeliver_one(application, whose, event)), limit, as_json=as_json)
    elif event is None and subscription is not None and start is not None:
        options = {"delivered_too": delivered_too, "limit": limit}
        again = ask(lambda application: _redeliver_many(application, whose, subscription, start, **options))
        _show(again, limit, as_json=as_json)
    else:
        raise UsageError("Name either --event, or --subscription and --since.")


async def _redeliver_one(application: JobApp, tenant: UUID, event: UUID) -> Sequence[Redelivery]:
    from jobcore_handlers.webhooks.redelivery import redeliver_event

    return [await redeliver_event(application, tenant, event)]


async def _redeliver_many(
    application: JobApp, tenant: UUID, subscription: UUID, since: datetime, **options: Any
) -> Sequence[Redelivery]:
    from jobcore_handlers.webhooks.redelivery import redeliver_since

    return await redeliver_since(application, tenant, subscription, since, **options)


def _show(done: Sequence[Redelivery], limit: int, *, as_json: bool) -> None:
    rows = [(one.message_id, one.job_id, one.verdict.value) for one in done]
    if as_json:
        names = ("message_id", "job_id", "verdict")
        output.show_document({"messages": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        output.show_table(("message", "job", "verdict"), rows, empty="There is nothing to send again.")
    if len(rows) == limit and not as_json:
        output.note(f"Those were the oldest {limit:,}; there may be more.")
    if any(one.verdict == "lost" for one in done):
        raise typer.Exit(ExitCode.FAILED)
