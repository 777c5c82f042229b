"""Counting one bucket anew, within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from jobcore_handlers.buckets.rules import Consumption, consumption
from jobcore_handlers.errors import BucketConfigurationMissingError
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True)
class _Listed:
    usage_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class _Usage:
    client_id: UUID
    contract_line_id: UUID
    service_id: UUID
    period_start: date
    period_end: date
    minutes_used: Decimal
    overage_minutes: Decimal
    rolled_over_minutes: Decimal
    total_minutes: int | None


@dataclass(frozen=True, slots=True)
class _Delivered:
    time: Decimal
    usage: Decimal


class BucketCounter:
    """Counts the buckets of one tenant, on one connection."""

    def __init__(self, connection: Connection, tenant: UUID) -> None:
        self._statements = Statements("buckets", connection)
        self._tenant = tenant

    async def current(self) -> Sequence[UUID]:
        """Return the usage records whose period today is in, or that ended the day before yesterday or later (UTC)."""
        listed = await self._statements.all("list_current_usage", _Listed, tenant=self._tenant)
        return [row.usage_id for row in listed]

    async def count(self, usage_id: UUID) -> bool:
        """Bring a usage record up to date; return whether it changed. One that was deleted meanwhile did not.

        Raises:
            BucketConfigurationMissingError: if nobody said how much the bucket holds.
        """
        usage = await self._statements.first("lock_usage", _Usage, tenant=self._tenant, usage=usage_id)
        if usage is None:
            return False
        if usage.total_minutes is None:
            raise BucketConfigurationMissingError(usage_id, usage.contract_line_id)
        counted = await self._consumption(usage, usage.total_minutes)
        if counted == Consumption(usage.minutes_used, usage.overage_minutes):
            return False
        await self._statements.run(
            "save_usage", tenant=self._tenant, usage=usage_id, used=counted.used, overage=counted.overage
        )
        return True

    async def _consumption(self, usage: _Usage, total_minutes: int) -> Consumption:
        (delivered,) = await self._statements.all(
            "sum_delivered",
            _Delivered,
            tenant=self._tenant,
            client=usage.client_id,
            service=usage.service_id,
            line=usage.contract_line_id,
            start=usage.period_start,
            end=usage.period_end,
        )
        return consumption(
            time=delivered.time,
            usage=delivered.usage,
            total=Decimal(total_minutes),
            rolled_over=usage.rolled_over_minutes,
        )
