"""What `pause` and `resume` are told to act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli.errors import UsageError
from jobcore.ids import parse_tenant
from jobcore.models import PauseKind
from jobcore.ports.wording import tenant_name

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

Queue = Annotated[str | None, typer.Option("--queue", metavar="QUEUE", help="This queue, of all tenants.")]
Handler = Annotated[str | None, typer.Option("--handler", metavar="NAME", help="This handler, of all tenants.")]
OneTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="UUID|system", help="All jobs of this tenant: its id, or 'system'.")
]


@dataclass(frozen=True, slots=True)
class Named:
    """The one thing that a command names."""

    kind: PauseKind
    name: str

    @property
    def words(self) -> str:
        return words(self.kind, self.name)

    async def pause(self, app: JobApp, *, reason: str | None, paused_by: str) -> bool:
        return await app.pause(**{self.kind.value: self.name}, reason=reason, paused_by=paused_by)

    async def resume(self, app: JobApp) -> bool:
        return await app.resume(**{self.kind.value: self.name})


def the_one(queue: str | None, handler: str | None, tenant: str | None) -> Named:
    """Return what is named. Raises `UsageError` for none and for several, `InputError` for a tenant that is none."""
    given = {PauseKind.QUEUE: queue, PauseKind.HANDLER: handler, PauseKind.TENANT: tenant}
    named = [(kind, name) for kind, name in given.items() if name is not None]
    if len(named) != 1:
        raise UsageError("Name one of --queue, --handler and --tenant: what is to be paused, or to go on.")
    [(kind, name)] = named
    return Named(kind, str(parse_tenant(name)) if kind is PauseKind.TENANT else name)


def words(kind: PauseKind, name: str) -> str:
    """Return what is paused, as sentences and tables say it: `queue mail`."""
    from uuid import UUID

    return f"{kind.value} {tenant_name(UUID(name)) if kind is PauseKind.TENANT else name}"
