"""The jobs that each version of PostgreSQL has to carry."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg
from pydantic import BaseModel

from jobcore import JobContext, job
from jobcore.policies.retry import RetryPolicy

TENANT = UUID("11111111-1111-7111-8111-111111111111")


class Order(BaseModel):
    tenantId: UUID = TENANT
    number: int


@dataclass(frozen=True)
class Address:
    """The service that tells handlers where the database is."""

    dsn: str


@job("square")
async def square(ctx: JobContext, data: Order) -> int:
    return data.number**2


@job("flaky", retry=RetryPolicy(initial_interval=timedelta(milliseconds=100)))
async def flaky(ctx: JobContext, data: Order) -> int:
    if ctx.attempt < data.number:
        raise ConnectionError("not yet")
    return ctx.attempt


@job("bill")
async def bill(ctx: JobContext, data: Order) -> None:
    async with (
        await psycopg.AsyncConnection.connect(ctx.services.get(Address).dsn) as connection,
        ctx.complete_in(connection, result={"billed": data.number}),
    ):
        await connection.execute("insert into bills values (%s)", (data.number,))
        await ctx.enqueue(square, data, connection=connection)


@job("patient")
async def patient(ctx: JobContext, data: Order) -> None:
    await asyncio.wait_for(ctx.signal.wait(), 10)
    ctx.signal.raise_if_aborted()


HANDLERS = [square, flaky, bill, patient]
