"""What goes wrong on connections of the application's, whichever library reports it."""

from __future__ import annotations

from jobcore.errors import ForeignConnectionError


def sqlstate_of(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error: the driver's own, or the one that a library wrapped."""
    wrapped = (error, getattr(error, "orig", None), error.__cause__)
    codes = (getattr(each, name, None) for each in wrapped for name in ("sqlstate", "pgcode"))
    return next((code for code in codes if code), None)


def require_postgresql(product: str) -> None:
    """Raise `ForeignConnectionError` for a connection to another product's database."""
    if product != "postgresql":
        raise ForeignConnectionError(
            f"The connection is to a {product} database, and the jobs are in PostgreSQL: the two cannot commit "
            "together."
        )
