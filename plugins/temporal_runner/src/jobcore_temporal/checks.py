"""What `jobcore doctor` asks of Temporal."""

from __future__ import annotations

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from jobcore.errors import ConfigurationError, EngineUnavailableError
from jobcore.plugins.registries import CheckResult
from jobcore_temporal.connection import Connection
from jobcore_temporal.deployments import deployment_of
from jobcore_temporal.identity import RUNNER_TYPE
from jobcore_temporal.settings import TemporalRunnerSettings


async def check_server(settings: TemporalRunnerSettings) -> CheckResult:
    """Connect, and ask for the namespace; bounded by `rpc_timeout_seconds` each."""
    where = f"{settings.address}, namespace {settings.namespace!r}"
    try:
        connection = Connection(settings)
        client = await connection.client()
        await connection.check()
        await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=settings.namespace), timeout=connection.patience
        )
        versions = await _check_version(client, settings)
    except ConfigurationError as error:
        return CheckResult(RUNNER_TYPE, False, str(error))
    except EngineUnavailableError as error:
        return CheckResult(RUNNER_TYPE, False, str(error), "Set TEMPORAL_ADDRESS, or start the server.")
    except RPCError as error:
        return CheckResult(RUNNER_TYPE, False, f"{where}: {error}", "Create the namespace, or set TEMPORAL_NAMESPACE.")
    return versions or CheckResult(RUNNER_TYPE, True, f"Temporal answers at {where}", "")


async def _check_version(client: Client, settings: TemporalRunnerSettings) -> CheckResult | None:
    """Say which build jobs go to; `None` if Temporal is not to tell builds apart. Raises `RPCError`."""
    if settings.deployment.version is None:
        return None
    name, build_id = settings.deployment.version
    known = await deployment_of(client, settings, name)
    builds = ", ".join(known.builds) or "none"
    if known.current is None:
        message = f"no build of deployment {name!r} is the current one, so its workers get no jobs; known are: {builds}"
        return CheckResult(RUNNER_TYPE, False, message, "Start its worker, then run `jobcore temporal set-current`.")
    theirs = "this one" if known.current == build_id else f"this one is {build_id!r}"
    when = " once all task queues know" if known.is_changing else ""
    message = f"jobs go to build {known.current!r} of deployment {name!r}{when}; {theirs}; known are: {builds}"
    return CheckResult(RUNNER_TYPE, True, message)
