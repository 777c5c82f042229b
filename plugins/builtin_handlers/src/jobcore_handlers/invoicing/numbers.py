"""Invoice numbers: taken under a lock, and tried again if somebody used one by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobcore_handlers.errors import InvoiceNumberError
from jobcore_handlers.statements import Statements

TRIES = 3


@dataclass(frozen=True, slots=True)
class _Numbered:
    number: str
    is_written: bool


async def insert_numbered(statements: Statements, **values: Any) -> str:
    """Insert an invoice under the tenant's next number, or under the one after it while the number is taken.

    Returns the number. Until the transaction ends, no other invoice of the tenant gets one.

    Raises:
        InvoiceNumberError: if three numbers in a row are taken.
    """
    tried: list[str] = []
    for _ in range(TRIES):
        (row,) = await statements.all("insert_invoice", _Numbered, **values)
        if row.is_written:
            return row.number
        tried.append(row.number)
    raise InvoiceNumberError(tried)
