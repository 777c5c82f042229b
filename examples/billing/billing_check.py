"""What was billed and archived, compared with what the input files alone come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

import psycopg
from expected import Expected, total_by_currency
from rich.console import Console

Invoices = Mapping[str, Expected | None]


def check_invoices(console: Console, dsn: str, expected: Invoices) -> list[str]:
    """Compare each cycle's invoice to the cent; return what is missing, wrong, or there twice."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select billing_cycle_id::text, currency, subtotal, tax from billing.invoices"
        ).fetchall()
    billed = {cycle: (currency, subtotal, tax) for cycle, currency, subtotal, tax in rows}
    wanted = {
        cycle: (invoice.currency, invoice.subtotal, invoice.tax)
        for cycle, invoice in expected.items()
        if invoice is not None
    }
    twice = [cycle for cycle, count in Counter(cycle for cycle, *_ in rows).items() if count > 1]
    totals: Counter[str] = Counter()
    for currency, subtotal, tax in (row[1:] for row in rows):
        totals[currency] += subtotal + tax
    for currency, cents in sorted(total_by_currency(dict(expected)).items()):
        console.print(
            f"billed   {totals[currency] / 100:>14,.2f} {currency}   "
            f"expected from the input files {cents / 100:>14,.2f} {currency}"
        )
    return [
        *(f"cycle {cycle} is billed twice" for cycle in twice),
        *(f"cycle {cycle} is not billed" for cycle in wanted.keys() - billed.keys()),
        *(f"cycle {cycle} has an invoice and should have none" for cycle in billed.keys() - wanted.keys()),
        *(
            f"cycle {cycle} is billed {billed[cycle]}, and should be {wanted[cycle]}"
            for cycle in wanted.keys() & billed.keys()
            if wanted[cycle] != billed[cycle]
        ),
    ]


def check_archives(
    console: Console, files: Path, archives: Sequence[Mapping[str, object]], expected: Invoices
) -> list[str]:
    """Open each archive and count its invoices; return what is missing."""
    problems: list[str] = []
    count = 0
    for archive in archives:
        path = files / str(archive["storageKey"])
        with ZipFile(path) as opened:
            broken = opened.testzip()
            names = [name for name in opened.namelist() if name.endswith(".pdf")]
        if broken is not None:
            problems.append(f"{path}: {broken} is damaged")
        count += len(names)
        console.print(f"archive  {path} ({len(names)} invoices, {path.stat().st_size / 1000:.0f} kB)")
    wanted = sum(invoice is not None for invoice in expected.values())
    if count != wanted:
        problems.append(f"the archives hold {count} invoices; {wanted} were to be billed")
    return problems
