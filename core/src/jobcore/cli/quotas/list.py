"""`jobcore quotas list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson
from jobcore.cli.quotas.named import owner_name, quota_document

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import TenantQuota


def list_quotas(as_json: AsJson = False) -> None:
    """List the quotas that are set: the default, and those of single tenants."""

    async def work(application: JobApp) -> Sequence[TenantQuota]:
        return await application.quotas()

    stand = ask(work)
    if as_json:
        document = [{**quota_document(one.tenant, one.quota), "set_at": one.set_at} for one in stand]
        output.show_document({"quotas": document})
        return
    output.show_table(
        ("tenant", "waiting", "enqueues a second", "schedules", "since"),
        [
            (
                owner_name(one.tenant),
                _limit(one.quota.waiting),
                _limit(one.quota.enqueues_per_second),
                _limit(one.quota.schedules),
                one.set_at,
            )
            for one in stand
        ],
        empty="No tenant has a quota.",
    )


def _limit(most: int | None) -> str:
    return "any" if most is None else f"{most:,}"
