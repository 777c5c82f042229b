"""What a payload codec hides from Temporal, and what is said of one that cannot be had."""

from __future__ import annotations

import re

import pytest

from jobcore import JobContext, RetryPolicy
from jobcore.app import JobApp
from jobcore.errors import ConfigurationError
from jobcore.states import JobState
from jobcore.testing.apps import quiet_settings
from jobcore.testing.runner_contract.site import Anything, Stumble, handler, working
from jobcore_temporal.checks import check_server
from jobcore_temporal.settings import TemporalRunnerSettings
from temporal_runner.harness import PLUGINS, Stage, closed

CODEC = "temporal_runner.sealing:Sealing"
SECRET = "4111-1111"


@handler()
async def charges(ctx: JobContext, data: Anything) -> str:
    return f"charged {data['card']}"


@handler(retry=RetryPolicy(max_attempts=1))
async def quotes(ctx: JobContext, data: Anything) -> None:
    raise Stumble(f"no money on {data['card']}")


@handler(engines={"temporal": {"mode": "activity"}})
async def charges_without_workflow(ctx: JobContext, data: Anything) -> str:
    return f"charged {data['card']}"


async def history_of(stage: Stage, job: object) -> str:
    """Everything that the server keeps of a job's workflow, as text."""
    workflow = await stage.workflow(job)  # pyright: ignore[reportArgumentType]
    await closed(workflow)
    return (await workflow.fetch_history()).to_json() + str((await workflow.describe()).raw_description)


@pytest.mark.parametrize("form", ["Sealing", "make", "made"])
async def test_temporal_keeps_neither_payload_nor_result(stage: Stage, form: str) -> None:
    sealed = Stage(stage.dsn, stage.address, temporal={"payload_codec": f"temporal_runner.sealing:{form}"})
    async with working(sealed, charges) as site:
        job = await site.enqueue(charges, {"card": SECRET})
        assert (await site.ended(job)).result == f"charged {SECRET}"
        kept = await history_of(sealed, job)
    assert "YmluYXJ5L2VuY3J5cHRlZA==" in kept  # the encoding of what the codec writes, in base64
    assert SECRET not in kept
    assert "NDExMS0xMTEx" not in kept


async def test_temporal_keeps_no_message_of_an_error(stage: Stage) -> None:
    sealed = Stage(stage.dsn, stage.address, temporal={"payload_codec": CODEC})
    async with working(sealed, quotes) as site:
        job = await site.enqueue(quotes, {"card": SECRET})
        record = await site.ended(job, JobState.FAILED)
        assert record.error is not None
        assert record.error["message"] == f"no money on {SECRET}"
        assert SECRET not in await history_of(sealed, job)


async def test_an_activity_without_a_workflow_goes_through_the_codec_too(stage: Stage) -> None:
    sealed = Stage(stage.dsn, stage.address, temporal={"payload_codec": CODEC})
    async with working(sealed, charges_without_workflow) as site:
        job = await site.enqueue(charges_without_workflow, {"card": SECRET})
        assert (await site.ended(job)).result == f"charged {SECRET}"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("temporal_runner.missing:Sealing", "No module named 'temporal_runner.missing'"),
        ("temporal_runner.sealing:Ceiling", "has no attribute 'Ceiling'"),
        ("temporal_runner.sealing:Keyed", "missing 1 required positional argument: 'key'"),
        ("temporal_runner.sealing:without_its_key", "KeyError: 'NO_SUCH_KEY'"),
        ("temporal_runner.sealing:nothing", "is no temporalio.converter.PayloadCodec"),
    ],
)
async def test_a_codec_that_cannot_be_had_is_refused_before_a_worker_starts(
    database_dsn: str, target: str, reason: str
) -> None:
    settings = quiet_settings(
        database={"url": database_dsn},
        temporal={"payload_codec": target, "address": "127.0.0.1:9"},
        runner="temporal",
        edition="enterprise",
        fallback_to_pgboss=False,
        plugins={"allow": PLUGINS},
    )
    async with JobApp(settings, handlers=[charges]) as app:
        with pytest.raises(ConfigurationError, match=re.escape(reason)):
            await app.worker().start()
        health = await app.health()
        assert reason in str(health)
    found = await check_server(TemporalRunnerSettings(payload_codec=target))
    assert not found.ok
    assert reason in found.message
    assert "TEMPORAL_ADDRESS" not in found.remedy
