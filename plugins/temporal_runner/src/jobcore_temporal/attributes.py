"""The search attributes that workflows carry, so that they can be found by job and by tenant in Temporal."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from jobcore.errors import ConfigurationError
from jobcore_postgres.outbox import Handover
from jobcore_temporal.connection import Connection
from jobcore_temporal.settings import TemporalRunnerSettings

JOB = SearchAttributeKey.for_keyword("JobcoreJob")
TENANT = SearchAttributeKey.for_keyword("JobcoreTenant")
QUEUE = SearchAttributeKey.for_keyword("JobcoreQueue")


def attributes_of(job: Handover) -> TypedSearchAttributes:
    """Return what a job's workflow carries: the handler's name, the tenant and the queue."""
    return TypedSearchAttributes(
        [
            SearchAttributePair(JOB, job.name),
            SearchAttributePair(TENANT, str(job.entry.tenant)),
            SearchAttributePair(QUEUE, job.queue),
        ]
    )


async def register(settings: TemporalRunnerSettings) -> Sequence[str]:
    """Register those that the namespace lacks; return their names. Safe to repeat.

    Raises:
        EngineUnavailableError: if the server is away.
        ConfigurationError: if it refuses, with what it said.
    """
    connection = Connection(settings)
    service = (await connection.client()).operator_service
    try:
        listed = await service.list_search_attributes(
            ListSearchAttributesRequest(namespace=settings.namespace), timeout=connection.patience
        )
        missing = [key.name for key in (JOB, TENANT, QUEUE) if key.name not in listed.custom_attributes]
        if missing:
            keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
            request = AddSearchAttributesRequest(
                namespace=settings.namespace, search_attributes=dict.fromkeys(missing, keyword)
            )
            await service.add_search_attributes(request, timeout=connection.patience)
    except RPCError as error:
        raise ConfigurationError(
            f"Temporal at {settings.address} does not register search attributes in {settings.namespace!r}: {error}"
        ) from error
    return missing
