"""What Temporal knows of a worker's deployment: which builds there are, and to which one jobs go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import RoutingConfigUpdateState
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from jobcore.errors import ConfigurationError
from jobcore_temporal.availability import is_away
from jobcore_temporal.connection import Connection
from jobcore_temporal.settings import TemporalRunnerSettings

LOOK_EVERY = 0.1
NOT_YET = {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION}
"""What the server says of a build whose workers have not polled yet."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is known of it; nothing before one of its workers has polled."""

    builds: tuple[str, ...] = ()
    current: str | None = None
    """The build that jobs go to. Without one they wait, or go to workers of no deployment."""
    is_changing: bool = False
    """Whether some of its task queues do not yet go by that."""


async def deployment_of(client: Client, settings: TemporalRunnerSettings, name: str) -> Deployment:
    """Ask Temporal for a deployment; waits `rpc_timeout_seconds` at most. Raises `RPCError`."""
    try:
        told = await client.workflow_service.describe_worker_deployment(
            DescribeWorkerDeploymentRequest(namespace=settings.namespace, deployment_name=name),
            timeout=timedelta(seconds=settings.rpc_timeout_seconds),
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return Deployment()
    known = told.worker_deployment_info
    builds = [summary.deployment_version.build_id for summary in known.version_summaries]
    return Deployment(
        tuple(sorted(builds)),
        known.routing_config.current_deployment_version.build_id or None,
        known.routing_config_update_state == RoutingConfigUpdateState.ROUTING_CONFIG_UPDATE_STATE_IN_PROGRESS,
    )


async def make_current(settings: TemporalRunnerSettings, build_id: str, patience: float) -> None:
    """Let jobs go to this build of the deployment of the settings; returns when all its task queues go by that. Safe to
    repeat.

    Args:
        patience: seconds within which a worker of the build is to poll, and the task queues are to know.

    Raises:
        EngineUnavailableError: if the server is away.
        ConfigurationError: if there is no deployment in the settings, or the server refuses, with what it said.
    """
    name = settings.deployment.name
    if name is None:
        raise ConfigurationError(
            "There is no deployment whose build could be the current one: set temporal.deployment."
        )
    what = f"Build {build_id!r} of deployment {name!r}"
    connection = Connection(settings)
    client = await connection.client()
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=settings.namespace, deployment_name=name, build_id=build_id, identity=client.identity
    )
    asking = _Asking(client, request, connection.patience)
    try:
        async with asyncio.timeout(patience):
            await asking.until_taken()
            await _in_force(client, settings, name)
    except TimeoutError as error:
        raise ConfigurationError(f"{what} is not the current one in {patience:g} s: {asking.problem}") from error
    except RPCError as error:
        if is_away(error):
            raise connection.unavailable(error) from error
        raise ConfigurationError(f"{what} is not the current one, for Temporal refuses it: {error}") from error


class _Asking:
    """Asks for a current version as long as no worker of it has polled all that it should."""

    def __init__(self, client: Client, request: SetWorkerDeploymentCurrentVersionRequest, patience: timedelta) -> None:
        self._client = client
        self._request = request
        self._patience = patience
        self.problem = ""

    async def until_taken(self) -> None:
        """Raises `RPCError` if waiting for a worker is of no use."""
        while True:
            try:
                await self._client.workflow_service.set_worker_deployment_current_version(
                    self._request, timeout=self._patience
                )
            except RPCError as error:
                if error.status not in NOT_YET:
                    raise
                self.problem = f"a worker of it has to poll, all the task queues of the one before. Temporal: {error}"
            else:
                self.problem = "not all its task queues know yet; see `jobcore doctor`."
                return
            await asyncio.sleep(LOOK_EVERY)


async def _in_force(client: Client, settings: TemporalRunnerSettings, name: str) -> None:
    while True:
        if not (await deployment_of(client, settings, name)).is_changing:
            return
        await asyncio.sleep(LOOK_EVERY)
