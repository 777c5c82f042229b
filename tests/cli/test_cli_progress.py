"""A bar where somebody looks, silence where not."""

import asyncio
from datetime import timedelta

from jobcore import job
from jobcore.cli.progress import progress_bar, wait_for_job
from jobcore.testing import memory_app


@job("count")
async def count(ctx, data: dict) -> int:
    await ctx.progress(40, "counting [sheep]")
    return 3


async def waited():
    async with memory_app(mode="worker", handlers=[count]) as app:
        handle = await app.enqueue(count, {}, tenant="system")
        waiting = asyncio.create_task(wait_for_job(app, "system", handle.job_id, timedelta(seconds=20)))
        worker = app.worker()
        await worker.start()
        record = await waiting
        await worker.stop()
        return record


async def test_a_job_is_awaited_in_silence_where_nobody_looks(capsys):
    assert (await waited()).result == 3
    assert capsys.readouterr().err == ""


async def test_a_job_is_awaited_with_a_bar_on_a_terminal_and_nothing_on_standard_output(capsys, terminal):
    screen = terminal("stderr")
    assert (await waited()).result == 3
    assert capsys.readouterr().out == ""
    assert "Job" in screen.getvalue()


def test_the_bar_reads_no_markup(terminal):
    screen = terminal("stderr")
    with progress_bar("Title") as show:
        show(40, "counting [sheep]")
    assert "[sheep]" in screen.getvalue()
