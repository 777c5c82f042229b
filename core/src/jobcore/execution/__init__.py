"""Running a claim: the executor, the context that handlers see, and what they may answer."""

from jobcore.execution.abort import Abort
from jobcore.execution.completion import AlreadyCompletedError
from jobcore.execution.context import PlanChild, Submit
from jobcore.execution.executor import Executor
from jobcore.execution.observing import compose_observers
from jobcore.execution.outcomes import Cancel, HandlerInterrupt, JobOutcome, Retry, Snooze
from jobcore.execution.processes import HandlerProcessDiedError, ProcessHandlerError, check_process_handler
from jobcore.execution.steps import StepResultError

__all__ = [
    "Abort",
    "AlreadyCompletedError",
    "Cancel",
    "Executor",
    "HandlerInterrupt",
    "HandlerProcessDiedError",
    "JobOutcome",
    "PlanChild",
    "ProcessHandlerError",
    "Retry",
    "Snooze",
    "StepResultError",
    "Submit",
    "check_process_handler",
    "compose_observers",
]
