"""What tenants may have at most: the `QuotaStore` part of the store, and how a refusal of `quota_refuse` is told."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from uuid import UUID

import orjson
from psycopg import errors as pg

from jobcore.errors import QuotaExceededError
from jobcore.models import Quota, TenantQuota
from jobcore.ports.quotas import QuotaStore
from jobcore_postgres.bridges import detail_of, sqlstate_of
from jobcore_postgres.database import Database
from jobcore_postgres.queries import affected_by, rows_of, value_of

_OF_QUOTAS = "54000"
"""The SQLSTATE of `quota_refuse`, and of what is too large for PostgreSQL;"""
_MARK = "quota "
"""what the detail of the former begins with."""


class PostgresQuotas(QuotaStore):
    """The rows of `jobcore.quotas`; the functions that make jobs and schedules look at them."""

    database: Database

    async def set_quota(self, tenant: UUID | None, quota: Quota) -> None:
        parameters = (tenant, quota.waiting, quota.enqueues_per_second, quota.schedules)
        await self.database.repeatable(lambda own: value_of(own, "quota_set", parameters))

    async def clear_quota(self, tenant: UUID | None) -> bool:
        async with self.database.connection() as connection:
            return await affected_by(connection, "quota_clear", {"tenant": tenant}) > 0

    async def quotas(self) -> Sequence[TenantQuota]:
        rows = await self.database.repeatable(lambda own: rows_of(own, "quotas_list"))
        return [
            TenantQuota(
                tenant=row["tenant"],
                quota=Quota(
                    waiting=row["waiting"],
                    enqueues_per_second=row["enqueues_per_second"],
                    schedules=row["schedules"],
                ),
                set_at=row["set_at"],
            )
            for row in rows
        ]


def exceeded_quota_in(error: BaseException) -> QuotaExceededError | None:
    """Return what `quota_refuse` refused, whichever library reports it; `None` for any other error."""
    detail = detail_of(error) if sqlstate_of(error) == _OF_QUOTAS else None
    if detail is None or not detail.startswith(_MARK):
        return None
    told = orjson.loads(detail.removeprefix(_MARK))
    return QuotaExceededError(
        UUID(told["tenant"]), told["quota"], told["most"], told["has"], told["more"], told["retry_after"]
    )


@contextmanager
def within_quotas() -> Generator[None]:
    """Run a block of ours; raise `QuotaExceededError` for what a quota refused."""
    try:
        yield
    except pg.ProgramLimitExceeded as error:
        if (refusal := exceeded_quota_in(error)) is None:
            raise
        raise refusal from error
