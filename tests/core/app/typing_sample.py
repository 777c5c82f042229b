"""What a type checker must accept and refuse; read by `test_typing.py`, never run."""

from typing import Any, assert_type

from jobcore import BlockingJobApp, JobApp, JobContext, JobData, job


class Reminder(JobData):
    client: str


class Urgent(Reminder):
    by: str


class Other(JobData):
    number: int


class Sent(JobData):
    message_id: str


@job("send-reminder", version=2)
async def send(ctx: JobContext, data: Reminder) -> Sent:
    await ctx.enqueue(count, data)
    await ctx.enqueue(count, Urgent(client="c-1", by="noon"))
    await ctx.enqueue("by-name", {"any": "thing"})
    return Sent(message_id=data.client)


@send.upcast(from_version=1)
def clients_had_names(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "client": payload["name"]}


@job("count", priority=3)
def count(ctx: JobContext, data: Reminder) -> int:
    ctx.blocking.enqueue(send, data)
    return len(data.client)


async def right(app: JobApp) -> None:
    handle = await send.enqueue(app, Reminder(client="c-1"), priority=5)
    assert_type(await handle.result(timeout=5), Sent)
    assert_type(await (await count.enqueue(app, Reminder(client="c-1"))).result(), int)
    assert_type(await (await app.enqueue(send, Reminder(client="c-1"))).result(), Sent)
    assert_type(await (await app.enqueue(count, Urgent(client="c-1", by="noon"))).result(), int)
    by_name = await app.enqueue("send-reminder", {"client": "c-1"}, tenant="system")
    await by_name.result()
    [first, *_] = await app.enqueue_many(send, [Reminder(client="c-1"), Reminder(client="c-2")], tenant="system")
    assert_type(await first.result(), Sent)
    await app.enqueue_many("send-reminder", [{"client": "c-1"}])


def right_and_blocking(app: BlockingJobApp) -> None:
    assert_type(app.enqueue(send, Reminder(client="c-1")).result(timeout=5), Sent)
    assert_type(app.enqueue(count, Reminder(client="c-1"), delay=5).result(), int)
    assert_type([one.result() for one in app.enqueue_many(count, (Reminder(client="c-1"),))], list[int])
    app.enqueue("send-reminder", {"client": "c-1"}, tenant="system").result()
    assert_type(clients_had_names({"name": "c-1"}), dict[str, Any])


async def wrong(app: JobApp, ctx: JobContext) -> None:
    await send.enqueue(app, Other(number=1))  # expect: error
    await app.enqueue(send, Other(number=1))  # expect: error
    await send.enqueue(app, Reminder(client="c-1"), priorty=5)  # expect: error
    await count.enqueue(app, "text")  # expect: error
    await app.enqueue(send, {"client": "c-1"})  # expect: error
    await app.enqueue_many(send, [Other(number=1)])  # expect: error
    await app.enqueue_many(send, [Reminder(client="c-1"), Other(number=1)])  # expect: error
    await app.enqueue_many(send, Reminder(client="c-1"))  # expect: error
    await app.enqueue_many(send, [Reminder(client="c-1")], retries=5)  # expect: error
    await ctx.enqueue(count, Other(number=1))  # expect: error
    await app.enqueue(clients_had_names, Reminder(client="c-1"))  # expect: error


def wrong_and_blocking(app: BlockingJobApp, ctx: JobContext) -> None:
    app.enqueue(send, Other(number=1))  # expect: error
    app.enqueue_many(send, [Other(number=1)])  # expect: error
    app.enqueue(send, Reminder(client="c-1"), priorty=5)  # expect: error
    assert_type(app.enqueue(count, Reminder(client="c-1")).result(), str)  # expect: error
    ctx.blocking.enqueue(count, Other(number=1))  # expect: error
    BlockingJobApp(handler=[send])  # expect: error
    send.upcast(from_version=1)(len)  # expect: error
