"""A worker that is killed while it sends a webhook: nothing is lost, and what is sent twice has one id."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

from builtin_handlers.context import AttemptContext
from builtin_handlers.endpoint import Endpoint
from builtin_handlers.killing import KilledAfterCommit, KilledBeforeCompletion, killed
from builtin_handlers.webhook_world import Hooks
from jobcore_handlers.webhooks.handler import send_webhook
from jobcore_handlers.webhooks.payload import SendWebhook


class Revived(Hooks):
    """The same tenant in another process."""

    def __init__(self, dsn: str, tenant: UUID) -> None:
        self.dsn, self.tenant = dsn, tenant


def send(dsn: str, tenant: UUID, kind: type[AttemptContext], job_id: UUID, data: SendWebhook) -> None:
    asyncio.run(send_webhook(Revived(dsn, tenant).context(job_id, kind=kind), data))


async def run_until_killed(hooks: Hooks, kind: type[AttemptContext], job_id: UUID, data: SendWebhook) -> None:
    await killed(send, hooks.dsn, hooks.tenant, kind, job_id, data)


async def test_a_kill_after_the_answer_sends_the_same_message_again(hooks: Hooks, endpoint: Endpoint) -> None:
    job_id, data = uuid4(), hooks.change(hooks.subscribe(endpoint.url))
    await run_until_killed(hooks, KilledBeforeCompletion, job_id, data)
    assert len(endpoint.received) == 1
    assert [(event["is_delivered"], event["duration_ms"]) for event in hooks.events()] == [(False, None)]
    assert hooks.rows("select job_id from completions") == []

    assert await send_webhook(hooks.context(job_id, attempt=2), data) == {"statusCode": 200}
    first, second = endpoint.received
    assert first[0]["webhook-id"] == second[0]["webhook-id"] == first[0]["X-Webhook-Id"] == str(job_id)
    assert first[1] == second[1]
    events = hooks.events()
    assert [(event["attempt"], event["is_delivered"]) for event in events] == [(1, False), (2, True)]
    assert {event["message_id"] for event in events} == {job_id}
    assert len(hooks.rows("select job_id from completions")) == 1
    assert hooks.subscription()["consecutive_failures"] == 0


async def test_a_kill_before_the_request_leaves_a_row_and_the_next_attempt_sends(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    job_id, data = uuid4(), hooks.change(hooks.subscribe(endpoint.url))
    await run_until_killed(hooks, KilledAfterCommit, job_id, data)
    assert endpoint.received == []
    await send_webhook(hooks.context(job_id, attempt=2), data)
    assert len(endpoint.received) == 1
    assert [(event["attempt"], event["is_delivered"]) for event in hooks.events()] == [(1, False), (2, True)]


async def test_a_killed_probe_lets_another_one_go_after_its_time(hooks: Hooks, endpoint: Endpoint) -> None:
    job_id, data = uuid4(), hooks.change(hooks.subscribe(endpoint.url))
    hooks.rows("update billing.webhook_subscriptions set is_enabled = false, resume_at = now(), disabled_at = now()")
    await run_until_killed(hooks, KilledAfterCommit, job_id, data)
    assert 0 < hooks.subscription()["pause"].total_seconds() <= 30
    hooks.let_pass(hooks.subscription()["pause"])
    await send_webhook(hooks.context(job_id, attempt=2), data)
    assert hooks.subscription()["is_enabled"]
