"""What a type checker must accept and refuse; read by `test_typing.py`, never run."""

from typing import assert_type

from jobcore import JobApp, JobContext, JobData, job


class Reminder(JobData):
    client: str


class Other(JobData):
    number: int


class Sent(JobData):
    message_id: str


@job("send-reminder")
async def send(ctx: JobContext, data: Reminder) -> Sent:
    return Sent(message_id=data.client)


@job("count", priority=3)
def count(ctx: JobContext, data: Reminder) -> int:
    return len(data.client)


async def right(app: JobApp) -> None:
    handle = await send.enqueue(app, Reminder(client="c-1"), priority=5)
    assert_type(await handle.result(timeout=5), Sent)
    assert_type(await (await count.enqueue(app, Reminder(client="c-1"))).result(), int)
    assert_type(await (await app.enqueue(send, Reminder(client="c-1"))).result(), Sent)
    by_name = await app.enqueue("send-reminder", {"client": "c-1"}, tenant="system")
    await by_name.result()


async def wrong(app: JobApp) -> None:
    await send.enqueue(app, Other(number=1))  # expect: error
    await app.enqueue(send, Other(number=1))  # expect: error
    await send.enqueue(app, Reminder(client="c-1"), priorty=5)  # expect: error
    await count.enqueue(app, "text")  # expect: error
