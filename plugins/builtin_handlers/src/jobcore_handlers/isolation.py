"""Items that fail alone: which errors an item may end with while the others go on, and what is kept of them."""

from __future__ import annotations

import psycopg

from jobcore_handlers.errors import BillingError

ItemFailure = (BillingError, psycopg.Error)
"""What is an item's own failure. If the database is gone, recording the failure fails too, and with it the job."""


def reason_of(error: Exception) -> str:
    """Return what may be stored and logged of a failure: of a database error its kind and SQLSTATE, for its text may
    quote a row."""
    if isinstance(error, psycopg.Error):
        return f"{type(error).__name__} ({error.sqlstate})"
    return explained(error)


def explained(error: Exception) -> str:
    """Return an error's text and its notes in one line."""
    return ". ".join([str(error), *getattr(error, "__notes__", ())])
