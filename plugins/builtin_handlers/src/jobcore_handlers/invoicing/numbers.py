"""Invoice numbers: taken under a lock, and tried again if somebody used one by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from psycopg.errors import UniqueViolation

from jobcore_handlers.errors import InvoiceNumberError
from jobcore_handlers.statements import Statements

TRIES = 3
_TAKEN = "invoices_number_taken"


@dataclass(frozen=True, slots=True)
class _Number:
    number: str


async def with_number(statements: Statements, tenant: UUID, insert: Callable[[str], Awaitable[None]]) -> str:
    """Call `insert` with the tenant's next invoice number, and with the one after it while the number is taken.

    Each try stands in a savepoint of its own, so a number that is taken costs nothing but itself. Returns the number.

    Raises:
        InvoiceNumberError: if three numbers in a row are taken.
    """
    tried: list[str] = []
    for _ in range(TRIES):
        number = await _take_number(statements, tenant)
        try:
            async with statements.connection.transaction():
                await insert(number)
        except UniqueViolation as violation:
            if violation.diag.constraint_name != _TAKEN:
                raise
            tried.append(number)
        else:
            return number
    raise InvoiceNumberError(tried)


async def _take_number(statements: Statements, tenant: UUID) -> str:
    (row,) = await statements.all("take_invoice_number", _Number, tenant=tenant)
    return row.number
