"""Payload schemas and waiting payloads: the memory store and PostgreSQL keep the same promises."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore import JobState
from jobcore.ids import uuid7
from jobcore.memory import MemoryStore
from jobcore.models import NewJob, PayloadSchema
from jobcore.ports import JobStore
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.store import PostgresStore

TENANTS = sorted([uuid4(), uuid4()])


@pytest.fixture(params=["memory", "postgres"])
async def any_store(request: pytest.FixtureRequest) -> AsyncIterator[JobStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    store = PostgresStore(request.getfixturevalue("worker_dsn"), PostgresSettings())
    await store.open()
    yield store
    await store.close()


async def enqueue(store: JobStore, name: str, tenant: UUID) -> UUID:
    job = NewJob(
        job_id=uuid7(), tenant=tenant, name=name, payload=b'{"tenantId": "t"}', runner_type="elsewhere", queue=name
    )
    return (await store.create_job(job)).job_id


async def test_schemas_are_read_back_by_handler_and_version(any_store: JobStore) -> None:
    await any_store.put_payload_schemas([])
    assert await any_store.payload_schemas(["a"]) == []
    first, second = PayloadSchema("a", 1, {"type": "object"}), PayloadSchema("a", 2, {"type": "object"})
    await any_store.put_payload_schemas([second, first, PayloadSchema("b", 1, {})])
    assert list(await any_store.payload_schemas(["a", "c"])) == [first, second]
    changed = PayloadSchema("a", 1, {"type": "object", "required": ["x"]})
    await any_store.put_payload_schemas([changed])
    assert list(await any_store.payload_schemas(["a"])) == [changed, second]


async def test_waiting_payloads_are_read_in_pages_and_each_once(any_store: JobStore) -> None:
    made = {await enqueue(any_store, "a", tenant) for tenant in TENANTS for _ in range(5)}
    await enqueue(any_store, "other", TENANTS[0])
    ended = await enqueue(any_store, "a", TENANTS[1])
    await any_store.update_job_status(TENANTS[1], ended, JobState.CANCELLED)
    pages = [await any_store.waiting_payloads(["a"], limit=3)]
    while pages[-1]:
        pages.append(await any_store.waiting_payloads(["a"], after=pages[-1][-1], limit=3))
    assert [len(page) for page in pages] == [3, 3, 3, 1, 0]
    seen = [job for page in pages for job in page]
    assert {job.job_id for job in seen} == made
    assert len(seen) == len(made)
    assert {job.handler for job in seen} == {"a"}
    assert seen[0].payload == b'{"tenantId": "t"}'


async def test_what_is_known_already_is_not_written_again(store: PostgresStore, admin: psycopg.Connection) -> None:
    schemas = [PayloadSchema(name, 1, {"type": "object", "required": [name]}) for name in ("a", "b")]

    def rows() -> list[tuple[object, ...]]:
        return admin.execute(
            "select handler, xmin::text, xmax::text from jobcore.payload_schemas order by 1"
        ).fetchall()

    await store.put_payload_schemas(schemas)
    before = rows()
    await store.put_payload_schemas(schemas)
    assert rows() == before
    await store.put_payload_schemas([schemas[0], PayloadSchema("b", 1, {"type": "object"})])
    assert [old == new for old, new in zip(before, rows(), strict=True)] == [True, False]
