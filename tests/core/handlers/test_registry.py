from datetime import timedelta
from typing import Any

import pytest

from jobcore import JobContext, JobHandlerRegistry, job
from jobcore.errors import DuplicateHandlerError, HandlerNotFoundError, InvalidHandlerError


@job("generate-invoice")
async def first(ctx: JobContext, data: dict[str, Any]) -> str:
    return "first"


@job("generate-invoice")
async def second(ctx: JobContext, data: dict[str, Any]) -> str:
    return "second"


@job("invoice-zip", queue="invoices")
def third(ctx: JobContext, data: dict[str, Any]) -> str:
    return "third"


@job("invoice-mail", queue="invoices")
def fourth(ctx: JobContext, data: dict[str, Any]) -> str:
    return "fourth"


class Context:
    job_id = "0198-the-id"


@pytest.fixture
def registry() -> JobHandlerRegistry:
    return JobHandlerRegistry()


def test_an_unknown_handler_is_named_with_its_neighbours(registry: JobHandlerRegistry) -> None:
    registry.register(first)
    with pytest.raises(
        HandlerNotFoundError,
        match=r"^No handler registered for job: generate-invoices\. Did you mean 'generate-invoice'\?$",
    ):
        registry.get("generate-invoices")
    with pytest.raises(HandlerNotFoundError, match="^No handler registered for job: xyz$"):
        registry.get("xyz")


def test_a_near_name_is_named_once_however_often_it_is_known() -> None:
    error = HandlerNotFoundError("say-helo", ["say-hello", "say-hello"])
    assert str(error) == "No handler registered for job: say-helo. Did you mean 'say-hello'?"


def test_two_handlers_of_one_name_are_refused_naming_both_sources(registry: JobHandlerRegistry) -> None:
    registry.register(first, source="acme-jobs 1.2")
    with pytest.raises(DuplicateHandlerError, match=r"test_registry:first of acme-jobs 1\.2 and .*:second of other 3"):
        registry.register(second, source="other 3")
    assert registry.get("generate-invoice") is first


def test_force_replaces_a_handler(registry: JobHandlerRegistry) -> None:
    registry.register(first)
    registry.register(second, force=True)
    assert registry.get("generate-invoice") is second


def test_registering_the_same_definition_again_is_no_conflict(registry: JobHandlerRegistry) -> None:
    assert registry.register(first) is registry.register(first)
    assert len(registry) == 1


def test_handlers_are_listed_by_name_and_grouped_by_queue(registry: JobHandlerRegistry) -> None:
    for handler in (third, first, fourth):
        registry.register(handler)
    assert registry.get_registered_names() == ["generate-invoice", "invoice-mail", "invoice-zip"]
    assert registry.queues() == {
        "generate-invoice": {"generate-invoice"},
        "invoices": {"invoice-zip", "invoice-mail"},
    }
    assert [handler.name for handler in registry] == registry.get_registered_names()
    assert registry.has("invoice-zip")
    assert "nothing" not in registry


async def test_the_documents_configuration_with_a_job_id_is_adapted(registry: JobHandlerRegistry) -> None:
    seen = []

    async def handler(job_id: str, data: dict[str, Any]) -> None:
        seen.append((job_id, data))

    definition = registry.register(
        {
            "name": "legacy",
            "handler": handler,
            "retry": {"max_attempts": 5, "backoff_coefficient": 2.0, "initial_interval_ms": 1000},
            "timeout_ms": 300_000,
        }
    )
    assert definition.timeout == timedelta(minutes=5)
    assert definition.retry.max_attempts == 5
    await registry.execute("legacy", Context(), {"tenantId": "system"})  # type: ignore[arg-type]
    assert seen == [("0198-the-id", {"tenantId": "system"})]
    assert registry.get_config("legacy")["timeout_ms"] == 300_000


async def test_execute_runs_plain_functions_too(registry: JobHandlerRegistry) -> None:
    registry.register(third)
    assert await registry.execute("invoice-zip", Context(), {}) == "third"  # type: ignore[arg-type]


def test_a_configuration_without_a_function_is_refused(registry: JobHandlerRegistry) -> None:
    with pytest.raises(InvalidHandlerError, match=r"needs 'name' \(text\) and 'handler' \(a function\)"):
        registry.register({"name": "x"})


def test_handlers_can_be_taken_back(registry: JobHandlerRegistry) -> None:
    registry.register(first)
    registry.unregister("generate-invoice")
    assert not registry.has("generate-invoice")
    with pytest.raises(HandlerNotFoundError):
        registry.unregister("generate-invoice")
    registry.register(first)
    registry.clear()
    assert len(registry) == 0
