"""From how a run ended to what is written about it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from jobcore.errors import JobCancelledError, JobTimeoutError, NonRetryableError, StaleClaimError
from jobcore.execution.abort import LOST, SHUTDOWN, TIMED_OUT, Abort
from jobcore.execution.context import ExecutionContext
from jobcore.execution.outcomes import Cancel, HandlerInterrupt, JobOutcome, Retry, Snooze
from jobcore.execution.processes import ProcessHandlerError
from jobcore.execution.results import encode_outcome
from jobcore.execution.supervision import Ending
from jobcore.limits import bounded_text
from jobcore.models import Outcome, Settlement
from jobcore.policies.retry import RetryPolicy
from jobcore.redaction import describe_exception, redact_text

STOPPED_BY_FORCE = "did not heed the signal, and was stopped by force"
LEFT_BEHIND = "did not heed the signal, could not be stopped, and was left behind"
_LONGEST_REASON = 4_000


def decide(
    context: ExecutionContext, policy: RetryPolicy, timeout: timedelta, ending: Ending, abort: Abort
) -> Settlement:
    """Return the settlement of a run that has ended, or was left behind.

    In this order: what the handler committed itself stands; a lost claim leaves nothing to write; a time-out is a
    failed attempt; an abort that the handler saw, or that interrupted it, decides; then the handler's own word. So a
    handler that never noticed its abort, and returned, is completed: its work is done.
    """
    if context.settled is not None:
        return context.settled
    if ending.stopped == LOST or isinstance(ending.error, StaleClaimError):
        return _lost(context, ending, abort)
    if ending.stopped == TIMED_OUT:
        return failure(context, policy, _timed_out(context, timeout, ending))
    heeded = ending.interrupted or context.saw_abort
    if ending.stopped == SHUTDOWN and heeded and not _has_own_word(ending):
        return context.settlement(Outcome.RELEASED, error={"reason": abort.reason})
    if ending.stopped not in {None, SHUTDOWN} and (heeded or ending.error is not None):
        return _cancelled(context, abort.reason, abort.aborted_by, ending)
    return _own_word(context, policy, ending)


def failure(context: ExecutionContext, policy: RetryPolicy, error: BaseException) -> Settlement:
    """Return a failed attempt: to be tried again if the policy says so and an attempt is left, else failed for good."""
    described = error.described if isinstance(error, ProcessHandlerError) else describe_exception(error)
    retryable = error.retryable if isinstance(error, ProcessHandlerError) else policy.is_retryable(error)
    if context.claim.is_last_attempt or not retryable:
        return context.settlement(Outcome.FAILED, error=described)
    return context.settlement(Outcome.RETRY, error=described, retry_in=_delay_after(context, policy, error))


def _delay_after(context: ExecutionContext, policy: RetryPolicy, error: BaseException) -> timedelta:
    """Return what the handler asked for, else what the job's sender says, else what the policy says."""
    if isinstance(error, Retry) and error.after is not None:
        return error.after
    if context.claim.next_delay is not None:
        return context.claim.next_delay
    return policy.delay_before(context.attempt + 1)


def _own_word(context: ExecutionContext, policy: RetryPolicy, ending: Ending) -> Settlement:
    word = ending.value if isinstance(ending.value, JobOutcome) else ending.error
    match word:
        case None:
            around = context.around
            result = encode_outcome(ending.value, context.claim, around.codec, around.logger)
            return context.settlement(Outcome.COMPLETED, result=result)
        case Snooze():
            return context.settlement(Outcome.SNOOZED, retry_in=word.for_)
        case Cancel():
            return _cancelled(context, word.reason, None, ending)
        case _:
            return failure(context, policy, word)


def _has_own_word(ending: Ending) -> bool:
    """Whether a run that was told to shut down says itself what is to become of the job."""
    return isinstance(ending.value, JobOutcome) or isinstance(ending.error, JobOutcome | NonRetryableError)


def _lost(context: ExecutionContext, ending: Ending, abort: Abort) -> Settlement:
    reason = str(ending.error) if isinstance(ending.error, StaleClaimError) else abort.reason
    return context.settlement(Outcome.RELEASED, error={"reason": reason}, settled=True)


def _cancelled(context: ExecutionContext, reason: str | None, by: str | None, ending: Ending) -> Settlement:
    """Return a cancelled attempt; where the handler did not heed the signal within its grace, that is on record too."""
    stored = None if reason is None else bounded_text(redact_text(reason), _LONGEST_REASON)
    error = {"reason": stored, "cancelled_by": by}
    if ending.interrupted and ending.began:
        error["handler"] = LEFT_BEHIND if ending.abandoned else STOPPED_BY_FORCE
    return context.settlement(Outcome.CANCELLED, error=error)


def _timed_out(context: ExecutionContext, timeout: timedelta, ending: Ending) -> BaseException:
    """Return the time-out as an error, with the traceback of where the handler was."""
    left = " It did not stop when it was told to, and was left behind." if ending.abandoned else ""
    error = JobTimeoutError(f"Job {context.job_name!r} ran past its time-out of {timeout}.{left}")
    if isinstance(ending.error, asyncio.CancelledError | HandlerInterrupt | JobCancelledError):
        return error.with_traceback(ending.error.__traceback__)
    error.__cause__ = ending.error
    return error
