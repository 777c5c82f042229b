"""G19: the outbox of mails and the job that sends it, on a real database and a real mail server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.mail_server import MailServer
from builtin_handlers.mailing import mailing_context, run_until_killed
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore.app.facade import JobApp
from jobcore.errors import JobCancelledError
from jobcore_handlers.mailing import Attachment, Mail, MailSender, errors
from jobcore_handlers.mailing.claims import LEASE, PATIENCE
from jobcore_handlers.mailing.handler import process_mail_queue
from jobcore_handlers.mailing.outbox import put_mail
from jobcore_handlers.mailing.payload import ProcessMailQueue
from jobcore_handlers.mailing.queue import LAST_CLAIM_AFTER
from jobcore_handlers.mailing.smtp import SmtpMailSender

ALL = ProcessMailQueue(batch_size=3)
HANDLER = "jobcore_handlers.mailing.handler:process_mail_queue"


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer().serve() as server:
        yield server


@pytest.fixture
def context(world: World, server: MailServer) -> Callable[..., AttemptContext]:
    def make(tenant: UUID | None = None) -> AttemptContext:
        return mailing_context(world.dsn, tenant or world.tenant, server.settings())

    return make


def mail(to: str = "ada@alder.example", **changes: Any) -> Mail:
    return Mail(**{"mail_id": uuid4(), "to": to, "subject": "Hello", "text": "Hello", **changes})


async def put(world: World, *mails: Mail, tenant: UUID | None = None) -> list[bool]:
    owner = tenant or world.tenant
    async with AttemptContext(world.dsn, owner).db.transaction() as connection:
        return [await put_mail(connection, owner, one) for one in mails]


def statuses(world: World) -> list[tuple[str, int]]:
    rows = world.rows("select status, attempts from billing.mail_outbox order by created_at, mail_id")
    return [(row["status"], row["attempts"]) for row in rows]


def make_due(world: World) -> None:
    world.execute("update billing.mail_outbox set next_attempt_at = now() where status in ('pending', 'sending')")


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert process_mail_queue.name == "email.process-queue"
    assert process_mail_queue.retry.max_attempts == 1
    assert process_mail_queue.timeout == timedelta(minutes=10)


async def test_the_mails_of_a_tenant_are_sent_once(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    mails = [mail(f"client{n}@alder.example", html="<p>Hello</p>", to_name="Ada") for n in range(7)]
    assert await put(world, *mails) == [True] * 7
    ctx = context()
    assert await process_mail_queue(ctx, ALL) == {"sent": 7, "deferred": 0, "dead": 0}
    assert ctx.progress_reports[-1] == 100
    assert await process_mail_queue(context(), ALL) == {"sent": 0, "deferred": 0, "dead": 0}
    assert server.message_ids == {f"<{one.mail_id}@pinewater.example>": 1 for one in mails}
    assert statuses(world) == [("sent", 1)] * 7
    assert server.connections == 1


async def test_where_nothing_is_due_no_mail_server_is_needed(world: World) -> None:
    without_sender = AttemptContext(world.dsn, world.tenant)
    assert await process_mail_queue(without_sender, ALL) == {"sent": 0, "deferred": 0, "dead": 0}


async def test_a_mail_that_is_rolled_back_is_not_sent(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    async with await psycopg.AsyncConnection.connect(world.dsn) as connection:
        await put_mail(connection, world.tenant, mail())
        await connection.rollback()
    await process_mail_queue(context(), ALL)
    assert server.received == []


async def test_a_mail_written_twice_is_one_mail(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    one = mail()
    assert await put(world, one) == [True]
    await process_mail_queue(context(), ALL)
    assert await put(world, one) == [False]
    await process_mail_queue(context(), ALL)
    assert len(server.received) == 1


async def test_what_cannot_be_sent_is_refused_when_it_is_written(world: World) -> None:
    file = Attachment(name="a", mime_type="text/plain", content=b"")
    for wrong in (
        mail("nobody"),
        mail(subject="a\r\nBcc: x@y.example"),
        mail(to_name="a\nb"),
        mail(attachments=(file,)),
    ):
        with pytest.raises(errors.MailContentError):
            await put(world, wrong)
    assert statuses(world) == []


async def test_one_failed_mail_does_not_stop_the_others(
    world: World, server: MailServer, context: Callable[..., AttemptContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "jobcore")
    server.replies = {"gone@alder.example": "550 5.1.1 <gone@alder.example> unknown", "busy@alder.example": "450 later"}
    await put(world, mail("gone@alder.example"), mail("busy@alder.example"), mail())
    assert await process_mail_queue(context(), ALL) == {"sent": 1, "deferred": 1, "dead": 1}
    rows = {row["to_address"].partition("@")[0]: row for row in world.rows(
        "select *, next_attempt_at - now() > interval '50 seconds' as waits from billing.mail_outbox")}  # fmt: skip
    assert {name: row["status"] for name, row in rows.items()} == {"gone": "dead", "busy": "pending", "ada": "sent"}
    assert rows["busy"]["waits"]
    told = [str(row["last_error"]) for row in rows.values()] + [record.getMessage() for record in caplog.records]
    assert any("550 5.1.1" in line for line in told)
    assert "@" not in "".join(told)

    server.replies.clear()
    assert await process_mail_queue(context(), ALL) == {"sent": 0, "deferred": 0, "dead": 0}
    make_due(world)
    assert await process_mail_queue(context(), ALL) == {"sent": 1, "deferred": 0, "dead": 0}


async def test_a_mail_that_fails_each_time_is_dead_in_the_end(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    server.replies = {"ada@alder.example": "450 later"}
    await put(world, mail())
    for attempt in range(1, PATIENCE.max_attempts):
        assert (await process_mail_queue(context(), ALL))["deferred"] == 1
        assert statuses(world) == [("pending", attempt)]
        make_due(world)
    assert (await process_mail_queue(context(), ALL))["dead"] == 1
    make_due(world)
    assert await process_mail_queue(context(), ALL) == {"sent": 0, "deferred": 0, "dead": 0}
    assert statuses(world) == [("dead", PATIENCE.max_attempts)]


async def test_a_server_that_is_away_fails_the_job_and_costs_no_mail_an_attempt(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, *(mail() for _ in range(4)))
    away = mailing_context(world.dsn, world.tenant, server.settings(smtp_port=1))
    with pytest.raises(errors.MailServerError, match="cannot be used"):
        await process_mail_queue(away, ALL)
    assert statuses(world) == [("pending", 0)] * 4
    make_due(world)
    assert (await process_mail_queue(context(), ALL))["sent"] == 4


async def test_a_refused_sender_fails_the_job_and_costs_no_mail_an_attempt(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, *(mail() for _ in range(4)))
    server.reply_to_sender = "530 5.7.0 authentication required"
    with pytest.raises(errors.MailSenderRefusedError, match="does not accept the sender"):
        await process_mail_queue(context(), ALL)
    assert statuses(world) == [("pending", 0)] * 4


async def test_a_run_claims_no_batch_that_its_time_limit_could_cut_short(
    world: World, context: Callable[..., AttemptContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert process_mail_queue.timeout == LAST_CLAIM_AFTER + LEASE
    monkeypatch.setattr("jobcore_handlers.mailing.queue.LAST_CLAIM_AFTER", timedelta())
    await put(world, *(mail() for _ in range(5)))
    assert (await process_mail_queue(context(), ALL))["sent"] == ALL.batch_size
    assert sorted(statuses(world)) == [("pending", 0)] * 2 + [("sent", 1)] * 3


async def test_what_a_claim_leaves_no_time_for_is_given_back_untried(
    world: World, server: MailServer, context: Callable[..., AttemptContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobcore_handlers.mailing.queue._TO_SETTLE", LEASE)
    await put(world, *(mail() for _ in range(4)))
    assert await process_mail_queue(context(), ALL) == {"sent": 0, "deferred": 0, "dead": 0}
    assert statuses(world) == [("pending", 0)] * 4
    assert server.received == []


async def test_a_worker_that_lost_its_claim_settles_nothing(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, mail(), mail("busy@alder.example"))
    server.replies = {"busy@alder.example": "450 later"}
    claim = uuid4()
    server.on_offered = lambda: world.execute("update billing.mail_outbox set claim = %s", claim)
    await process_mail_queue(context(), ALL)
    rows = world.rows("select status, attempts, claim from billing.mail_outbox")
    assert rows == [{"status": "sending", "attempts": 1, "claim": claim}] * 2


async def test_a_run_that_is_cancelled_gives_back_what_it_did_not_send(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, *(mail() for _ in range(3)))
    ctx = context()
    server.on_accepted = lambda: setattr(ctx.signal, "aborted", True)
    with pytest.raises(JobCancelledError):
        await process_mail_queue(ctx, ALL)
    assert sorted(statuses(world)) == [("pending", 0), ("pending", 0), ("sent", 1)]


async def test_two_runs_at_once_share_the_mails(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    mails = [mail(f"client{n}@alder.example") for n in range(40)]
    await put(world, *mails)
    runs = await asyncio.gather(*(process_mail_queue(context(), ALL) for _ in range(3)))
    assert sum(run["sent"] for run in runs) == 40
    assert server.message_ids == {f"<{one.mail_id}@pinewater.example>": 1 for one in mails}


async def test_a_run_sends_no_more_than_its_limit(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, *(mail() for _ in range(5)))
    assert (await process_mail_queue(context(), ProcessMailQueue(batch_size=3, limit=4)))["sent"] == 4
    assert len(server.received) == 4


async def test_a_kill_after_the_server_took_a_mail_doubles_that_mail_only_and_recognisably(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    mails = [mail(f"client{n}@alder.example") for n in range(6)]
    await put(world, *mails)
    await run_until_killed(server, 2, HANDLER, ALL, world.dsn, world.tenant, server.settings())
    assert len(server.received) == 2
    assert sorted(statuses(world)) == [("pending", 0)] * 3 + [("sending", 1)] * 2 + [("sent", 1)]

    assert (await process_mail_queue(context(), ALL))["sent"] == 3  # the claims of the dead still stand
    make_due(world)
    assert (await process_mail_queue(context(), ALL))["sent"] == 2
    doubled = str(server.received[1]["Message-ID"])
    expected = {f"<{one.mail_id}@pinewater.example>": 1 for one in mails}
    assert server.message_ids == {**expected, doubled: 2}
    assert sorted(statuses(world)) == [("sent", 1)] * 4 + [("sent", 2)] * 2


async def test_a_mail_that_kills_its_worker_each_time_is_dead_in_the_end(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    await put(world, mail())
    world.execute(
        "update billing.mail_outbox set status = 'sending', claim = gen_random_uuid(), attempts = %s",
        PATIENCE.max_attempts,
    )
    make_due(world)
    assert await process_mail_queue(context(), ALL) == {"sent": 0, "deferred": 0, "dead": 1}
    assert server.received == []


async def test_a_tenants_run_leaves_the_mails_of_others_and_the_systems_takes_all(
    world: World, server: MailServer, context: Callable[..., AttemptContext]
) -> None:
    stranger = world.add_tenant()
    await put(world, mail())
    await put(world, mail("eve@stranger.example"), tenant=stranger)
    assert (await process_mail_queue(context(), ALL))["sent"] == 1
    assert server.recipients == ["ada@alder.example"]
    assert (await process_mail_queue(context(SYSTEM_TENANT), ALL))["sent"] == 1
    assert server.recipients == ["ada@alder.example", "eve@stranger.example"]


async def test_a_job_on_either_engine_sends_the_mails_of_all_tenants(
    open_app: Callable[..., AbstractAsyncContextManager[JobApp]], world: World, server: MailServer
) -> None:
    stranger = world.add_tenant()
    mails = [mail(), mail("eve@stranger.example")]
    await put(world, mails[0])
    await put(world, mails[1], tenant=stranger)
    async with open_app(services={MailSender: SmtpMailSender(server.settings())}) as app:
        job = await process_mail_queue.enqueue(app, ProcessMailQueue(tenant_id="system"))
        assert await job.result(timeout=30) == {"sent": 2, "deferred": 0, "dead": 0}
    assert server.message_ids == {f"<{one.mail_id}@pinewater.example>": 1 for one in mails}
