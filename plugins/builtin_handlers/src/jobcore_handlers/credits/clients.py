"""Whose credits a job is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from jobcore_handlers.errors import ClientNotFoundError
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True)
class Client:
    """A client, and whether there is anything of it to check."""

    client_id: UUID
    has_credit: bool


async def find_clients(connection: Connection, tenant: UUID, client: UUID | None) -> Sequence[Client]:
    """Return the client, or all of the tenant's.

    Raises:
        ClientNotFoundError: if the tenant has no such client.
    """
    found = await Statements("credits", connection).all("list_clients", Client, tenant=tenant, client=client)
    if client is not None and not found:
        raise ClientNotFoundError(client)
    return found
