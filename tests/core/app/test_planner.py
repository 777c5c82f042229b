"""Every check is made at the enqueue, before anything is stored."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict

from jobcore import JobApp, JobContext, JobData, RetryPolicy, job
from jobcore.errors import (
    CapabilityError,
    HandlerNotFoundError,
    InputError,
    InvalidTenantError,
    NaiveDatetimeError,
    PayloadInvalidError,
    PayloadLimitError,
    TenantRequiredError,
    UnknownRunnerError,
)
from jobcore.memory import MemoryRunner
from jobcore.models import NewJob, WorkerRecord
from jobcore.plugins import hookimpl
from jobcore.ports import Capabilities
from jobcore.testing import memory_app
from jobcore.testing.apps import quiet_settings

TENANT = uuid4()


class Mail(JobData):
    to: str
    copies: int = 1


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int


@job("send-mail", retry=RetryPolicy(max_attempts=5), priority=2, queue="mail", timeout=timedelta(minutes=1))
async def send_mail(ctx: JobContext, data: Mail) -> None:
    pass


@job("strict")
async def strict(ctx: JobContext, data: Strict) -> None:
    pass


@job("anything")
async def anything(ctx: JobContext, data: dict[str, Any]) -> None:
    pass


@job("threaded")
def threaded(ctx: JobContext, data: dict[str, Any]) -> None:
    pass


ALL = [send_mail, strict, anything, threaded]


@pytest.fixture
async def app():
    async with memory_app(handlers=ALL) as app:
        yield app


async def refused(app: JobApp, kind: type[Exception], match: str, job: Any = "send-mail", data: Any = None, **options):
    with pytest.raises(kind, match=match) as caught:
        await app.enqueue(job, {"tenantId": str(TENANT), "to": "a@b"} if data is None else data, **options)
    assert await app.find_jobs() == []
    return caught.value


async def accepted(app: JobApp, job: Any = "send-mail", data: Any = None, **options) -> Any:
    handle = await app.enqueue(job, {"tenantId": str(TENANT), "to": "a@b"} if data is None else data, **options)
    return await app.get_job(handle.tenant, handle.job_id)


async def test_a_job_takes_its_policies_from_its_handler(app):
    record = await accepted(app)
    assert (record.queue, record.priority, record.max_attempts) == ("mail", 2, 5)
    assert record.runner_type == "memory"


async def test_options_win_over_the_handler(app):
    parent, user = uuid4(), uuid4()
    record = await accepted(
        app, priority=0, max_attempts=1, metadata={"a": 1}, user_id=str(user), parent_job_id=parent, dedupe_key="k"
    )
    assert (record.priority, record.max_attempts, record.metadata) == (0, 1, {"a": 1})
    assert (record.user_id, record.parent_job_id, record.dedupe_key) == (user, parent, "k")


async def test_the_tenant_may_stand_in_the_call_or_in_the_payload(app):
    assert (await accepted(app)).tenant == TENANT
    record = await accepted(app, send_mail, Mail(to="x"), tenant="system")
    assert record.tenant.int == 0
    assert record.payload["tenantId"]


async def test_a_job_without_tenant_is_refused_in_the_documents_words(app):
    error = await refused(app, TenantRequiredError, "tenantId", data={"to": "a@b"})
    assert str(error) == "tenantId is required in job data"


async def test_a_tenant_is_a_uuid_or_system(app):
    await refused(app, InvalidTenantError, "'acme'", data={"tenantId": "acme", "to": "x"})
    await refused(app, InvalidTenantError, "'acme'", tenant="acme")


async def test_a_payload_that_does_not_fit_names_job_and_fields(app):
    error = await refused(app, PayloadInvalidError, "'send-mail'", data={"tenantId": str(TENANT), "copies": "many"})
    assert [problem.path for problem in error.problems] == ["to", "copies"]
    await refused(app, PayloadInvalidError, "'send-mail' .* model or a mapping, not list", data=[1])


async def test_a_model_that_forbids_the_tenant_field_is_refused_where_it_would_fail_later(app):
    await refused(app, PayloadInvalidError, "tenantId", strict, Strict(x=1), tenant=TENANT)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        ({"text": "a\x00b"}, "NUL character at position 1"),
        ({"text": "x" * 2_000_000}, "at most 1,048,576"),
        ({"when": datetime(2026, 1, 1)}, "without a time zone"),
        ({"n": float("nan")}, "nan"),
    ],
)
async def test_what_cannot_be_stored_is_refused(app, data, match):
    await refused(app, PayloadLimitError, match, "anything", {"tenantId": "system", **data})


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"run_at": datetime(2026, 1, 1)}, NaiveDatetimeError, "no time zone"),
        ({"run_at": "tomorrow"}, InputError, "datetime, not str"),
        ({"run_at": datetime(2026, 1, 1, tzinfo=UTC), "delay": 5}, InputError, "not both"),
        ({"delay": -1}, InputError, "delay"),
        ({"delay": float("inf")}, InputError, "delay"),
        ({"delay": 1e300}, InputError, "out of range"),
        ({"delay": "5"}, InputError, "number of seconds"),
        ({"priority": 2**31}, InputError, "priority"),
        ({"priority": True}, InputError, "priority"),
        ({"priority": 1.5}, InputError, "priority"),
        ({"max_attempts": 0}, InputError, "max_attempts"),
        ({"dedupe_key": ""}, InputError, "dedupe_key"),
        ({"dedupe_key": "a\x00"}, InputError, "dedupe_key"),
        ({"job_id": "nonsense"}, InputError, "job_id must be a UUID"),
        ({"metadata": [1]}, InputError, "metadata must be a mapping"),
        ({"metadata": {"a": "\x00"}}, PayloadLimitError, "The metadata at a"),
        ({"runner": "nowhere"}, UnknownRunnerError, "installed: memory"),
    ],
)
async def test_an_option_that_cannot_be_meant_is_refused(app, options, kind, match):
    await refused(app, kind, match, **options)


async def test_a_misspelt_option_is_named_with_its_neighbour(app):
    await refused(app, TypeError, "no option 'priorty'; did you mean priority", priorty=3)
    await refused(app, TypeError, "no option 'zzz'; there are after, connection", zzz=3)


async def test_an_unknown_handler_is_refused_with_near_names(app):
    error = await refused(app, HandlerNotFoundError, "No handler registered for job: send-mial", "send-mial")
    assert error.near == ["send-mail"]


async def test_an_unknown_handler_is_accepted_if_a_live_worker_has_it(app):
    worker = WorkerRecord(
        worker_id=uuid4(), runner_type="memory", host="h", pid=1, handlers=("other",), queues=("other",), concurrency=1
    )
    await app.store.announce(worker)
    assert (await accepted(app, "other", {"tenantId": "system"})).queue == "other"


async def test_an_unknown_handler_is_accepted_as_remote(app):
    record = await accepted(app, "other", {"tenantId": "system"}, remote=True)
    assert record.max_attempts == 3


async def test_a_name_that_cannot_name_a_job_is_refused_even_as_remote(app):
    await refused(app, InputError, "position 0", " x", remote=True)


async def test_what_the_runner_cannot_do_is_refused_by_name():
    class Poor(MemoryRunner):
        runner_type = "poor"
        capabilities = Capabilities(delayed=False, priority=False, executions=frozenset({"async"}))

    async with memory_app(runner=Poor(), handlers=ALL) as app:
        for job, options, capability in (
            ("anything", {"delay": 5}, "delayed"),
            ("anything", {"priority": 5}, "priority"),
            ("anything", {"connection": object()}, "transactional_enqueue"),
            ("threaded", {}, "executions"),
        ):
            await refused(
                app,
                CapabilityError,
                f"'poor' lacks the capability '{capability}'",
                job,
                {"tenantId": "system"},
                **options,
            )
        assert await app.enqueue("anything", {"tenantId": "system"})


class Second(MemoryRunner):
    runner_type = "second"


class SecondPlugin:
    """A user's own hook that offers a runner and chooses it for some jobs."""

    def __init__(self) -> None:
        self.asked: list[NewJob] = []

    @hookimpl
    def jobcore_register_runners(self, registry):
        registry.register_runner("second", lambda context: Second(context.store), capabilities=Second.capabilities)

    @hookimpl
    def jobcore_select_runner(self, job, runners):
        self.asked.append(job)
        return "second" if job.name == "send-mail" and "second" in runners else None


async def test_the_users_own_hook_selects_the_runner():
    plugin = SecondPlugin()
    async with memory_app(handlers=ALL, plugins=[plugin]) as app:
        assert (await accepted(app)).runner_type == "second"
        assert (await accepted(app, "anything", {"tenantId": "system"})).runner_type == "memory"
        assert (await accepted(app, runner="memory")).runner_type == "memory"
        assert [job.runner_type for job in plugin.asked] == ["memory", "memory"]
        assert await app.cancel(TENANT, (await app.find_jobs(TENANT))[0].job_id)


async def test_a_route_sends_jobs_to_a_runner():
    settings = quiet_settings(plugins={"allow": []}, routes={"any*": "second"})
    async with memory_app(handlers=ALL, plugins=[SecondPlugin()], settings=settings) as app:
        record = await accepted(app, "anything", {"tenantId": "system"})
        assert record.runner_type == "second"


async def test_many_jobs_are_enqueued_at_once(app):
    handles = await app.enqueue_many(send_mail, [Mail(to=str(n)) for n in range(3)], tenant=TENANT)
    records = [await app.get_job(TENANT, handle.job_id) for handle in handles]
    assert [record.payload["to"] for record in records] == ["0", "1", "2"]
    assert len(await app.enqueue_many(send_mail, [], tenant=TENANT)) == 0
    with pytest.raises(InputError, match="belong to one"):
        await app.enqueue_many(send_mail, [Mail(to="x")], tenant=TENANT, dedupe_key="k")


async def test_one_bad_payload_of_many_refuses_all(app):
    with pytest.raises(PayloadInvalidError):
        await app.enqueue_many("send-mail", [{"to": "x"}, {}], tenant=TENANT)
    assert await app.find_jobs() == []


async def test_concurrent_enqueues_open_a_runner_once():
    opened: list[str] = []

    class Counting(Second):
        async def open(self):
            opened.append("opened")
            await asyncio.sleep(0)

    class Plugin:
        @hookimpl
        def jobcore_register_runners(self, registry):
            registry.register_runner("second", lambda c: Counting(c.store), capabilities=Counting.capabilities)

    async with memory_app(handlers=ALL, plugins=[Plugin()]) as app:
        await asyncio.gather(*(accepted(app, runner="second") for _ in range(5)))
    assert opened == ["opened"]
