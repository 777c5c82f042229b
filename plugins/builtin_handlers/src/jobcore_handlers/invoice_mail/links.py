"""The links of an invoice's mail: where it is paid, and where it is seen."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.invoice_mail import logs

_DEADLINE_SECONDS = 10
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"]{1,2000}")


class InvoiceLinks(ABC):
    """Makes the links. Register another with the application's services, as `InvoiceLinks`.

    Whatever it raises is logged, and the mail goes out without that link.
    """

    @abstractmethod
    async def payment_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
        """Return where the invoice can be paid, an `http` or `https` address; `None` if nowhere."""

    @abstractmethod
    async def portal_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
        """Return where the client sees the invoice; `None` if nowhere."""


class PatternLinks(InvoiceLinks):
    """Links by patterns in which `{tenant}` and `{invoice}` stand for the ids."""

    def __init__(self, payment: str | None, portal: str | None) -> None:
        self._payment = payment
        self._portal = portal

    async def payment_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
        return _filled(self._payment, tenant, invoice_id)

    async def portal_link(self, tenant: UUID, invoice_id: UUID) -> str | None:
        return _filled(self._portal, tenant, invoice_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPair:
    """The links that could be made; empty where there is none."""

    payment: str
    portal: str


async def make_links(ctx: JobContext, links: InvoiceLinks, invoice_id: UUID) -> LinkPair:
    """Return the links of an invoice. Never raises for a link's sake; each has ten seconds."""
    return LinkPair(
        payment=await _made(ctx, "payment", links.payment_link, invoice_id),
        portal=await _made(ctx, "portal", links.portal_link, invoice_id),
    )


async def _made(
    ctx: JobContext, kind: str, make: Callable[[UUID, UUID], Awaitable[str | None]], invoice_id: UUID
) -> str:
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            link = await make(ctx.tenant_id, invoice_id)
    except Exception as error:  # noqa: BLE001 - whatever a payment provider's code raises, the invoice is sent
        logs.link_failed(ctx.logger, kind, invoice_id, type(error).__name__)
        return ""
    if link is not None and not _WEB_ADDRESS.fullmatch(link):
        logs.link_failed(ctx.logger, kind, invoice_id, "not a web address")
        return ""
    return link or ""


def _filled(pattern: str | None, tenant: UUID, invoice_id: UUID) -> str | None:
    if pattern is None:
        return None
    return pattern.replace("{tenant}", str(tenant)).replace("{invoice}", str(invoice_id))
