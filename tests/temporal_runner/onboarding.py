"""A workflow of a handler's own, with its activities."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from jobcore_temporal.messages import JobInput

ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
async def make_account(name: str) -> str:
    return f"account of {name}"


@activity.defn
async def send_welcome(account: str) -> None:
    if "nobody" in account:
        raise ApplicationError("there is no such address", non_retryable=True)


@workflow.defn
class Onboarding:
    """Makes an account, waits for the word to go on, and sends a mail."""

    def __init__(self) -> None:
        self._may_go_on = False

    @workflow.run
    async def run(self, job: JobInput) -> dict[str, Any]:
        account = await workflow.execute_activity(
            make_account, job.data["name"], start_to_close_timeout=timedelta(seconds=10)
        )
        if job.data.get("waits"):
            await workflow.wait_condition(lambda: self._may_go_on)
        await workflow.execute_activity(
            send_welcome, account, start_to_close_timeout=timedelta(seconds=10), retry_policy=ONCE
        )
        return {"account": account}

    @workflow.signal
    def go_on(self) -> None:
        self._may_go_on = True
