"""What stands in a notice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from html import escape

from jobcore_handlers.billing.money import format_money
from jobcore_handlers.mailing.templates import Block, Values
from jobcore_handlers.printing.words import format_day

TEMPLATE = "credit-expiring"
MAX_LISTED = 50


def values_of(
    *,
    recipient: str,
    client: str,
    seller: str,
    currency: str,
    amounts: Sequence[int],
    day: date,
    days_remaining: int,
    url: str | None,
) -> Values:
    """Return what templates of notices can name. `amounts` are cents, one a credit."""
    return {
        "recipient_name": recipient,
        "client_name": client,
        "seller_name": seller,
        "total_amount": format_money(sum(amounts), currency),
        "expiration_date": format_day(day),
        "days_remaining": str(days_remaining),
        "credits": _listed([f"{format_money(amount, currency)}, until {format_day(day)}" for amount in amounts]),
        "url": url or "",
        "link": _linked(url),
    }


def _listed(lines: Sequence[str]) -> Block:
    shown = list(lines[:MAX_LISTED])
    if len(lines) > MAX_LISTED:
        shown.append(f"and {len(lines) - MAX_LISTED} more")
    items = "".join(f"<li>{escape(line)}</li>" for line in shown)
    return Block("".join(f"- {line}\n" for line in shown), f"<ul>{items}</ul>")


def _linked(url: str | None) -> Block:
    if url is None:
        return Block("", "")
    return Block(f"See your credits: {url}\n", f'<p><a href="{escape(url)}">See your credits</a></p>')
