"""All log wording of the background roles."""

from __future__ import annotations

import logging

from jobcore.models import Claim, Settlement

_logger = logging.getLogger("jobcore.postgres")


def role_failed(role: str, error: BaseException, delay: float) -> None:
    _logger.warning("The %s had trouble with the database, and tries again in %.1f s: %s", role, delay, _line(error))


def role_recovered(role: str) -> None:
    _logger.info("The %s works again.", role)


def pooler_seen(variable: str, *, is_set: bool) -> None:
    _logger.warning(
        "There is a pooler before PostgreSQL, so that notifications cannot be heard: new jobs are found by polling. %s",
        f"{variable} leads to a pooler too: let it name the server itself."
        if is_set
        else f"Name the server itself in {variable} to start jobs sooner.",
    )


def listening_directly(address: str) -> None:
    _logger.info("Notifications are heard on a connection of their own (%s).", address)


def no_answer(seconds: float) -> None:
    _logger.warning("The server has not answered within %g s; the connection is broken off and made anew.", seconds)


def listener_deaf() -> None:
    _logger.warning(
        "The listening connection no longer hears its own notifications; it is made anew. Until then new jobs are "
        "found by polling."
    )


def claim_lost(claim: Claim, reason: str) -> None:
    _logger.warning("Job %s (%s, attempt %d) was lost: %s.", claim.job_id, claim.name, claim.attempt, reason)


def settlement_stale(settlement: Settlement) -> None:
    claim = settlement.claim
    _logger.warning(
        "Job %s (%s, attempt %d) ended as %s, but its claim was gone: nothing was changed.",
        claim.job_id,
        claim.name,
        claim.attempt,
        settlement.outcome,
    )


def settlement_refused(settlement: Settlement, error: BaseException) -> None:
    claim = settlement.claim
    _logger.error(
        "PostgreSQL refuses how job %s (%s, attempt %d) ended (%s): %s",
        claim.job_id,
        claim.name,
        claim.attempt,
        settlement.outcome,
        _line(error),
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
