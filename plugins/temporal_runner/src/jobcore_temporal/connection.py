"""The way to the server: connected once, bounded in time, as Temporal's own configuration and ours say."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.service import RetryConfig

from jobcore.cli.leaving import end_abruptly
from jobcore.errors import EngineUnavailableError
from jobcore_temporal.availability import TROUBLE
from jobcore_temporal.codec import data_converter
from jobcore_temporal.sdk_log import forward_the_sdks_log
from jobcore_temporal.settings import TemporalRunnerSettings

end_abruptly("temporalio: its threads crashed the interpreter's end in some of twenty runs (SIGABRT, SIGSEGV)")

HEALTH_PATIENCE = timedelta(milliseconds=600)
"""How long the server may take to say that it is well."""


class Connection:
    """A client that is connected when it is first needed, and is kept. One event loop uses it.

    Raises:
        ConfigurationError: if the payload codec cannot be had.
    """

    def __init__(self, settings: TemporalRunnerSettings) -> None:
        self._settings = settings
        self._converter = data_converter(settings.payload_codec)
        self._client: Client | None = None
        self._connecting: asyncio.Task[Client] | None = None
        """The one try for all who wait: each of them would have to find out for itself, after the other."""

    @property
    def address(self) -> str:
        return self._settings.address

    @property
    def patience(self) -> timedelta:
        """How long one call may take."""
        return timedelta(seconds=self._settings.rpc_timeout_seconds)

    async def client(self) -> Client:
        """Return the client; waits for the server `rpc_timeout_seconds` at most.

        Raises:
            EngineUnavailableError: if nobody answers there.
        """
        if self._client is not None:
            return self._client
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
        self._client = client = await asyncio.shield(self._connecting)
        return client

    def leave(self, client: Client) -> None:
        """Connect anew the next time, unless somebody has."""
        if self._client is client:
            self._client = None

    async def check(self) -> None:
        """Ask the server how it is. Raises `EngineUnavailableError`."""
        client = await self.client()
        try:
            async with asyncio.timeout(HEALTH_PATIENCE.total_seconds()):
                healthy = await client.service_client.check_health(timeout=HEALTH_PATIENCE)
        except TROUBLE as error:
            raise self.unavailable(error) from error
        if not healthy:
            raise EngineUnavailableError(f"Temporal at {self.address} answers, and says that it does not serve.")

    def unavailable(self, error: BaseException) -> EngineUnavailableError:
        """Return the error that tells of this server that it was lost."""
        return EngineUnavailableError(
            f"Temporal at {self.address} (namespace {self._settings.namespace!r}) cannot be reached: "
            f"{' '.join(str(error).split()) or type(error).__name__}"
        )

    async def _connect(self) -> Client:
        forward_the_sdks_log()
        try:
            async with asyncio.timeout(self._settings.rpc_timeout_seconds):
                return await Client.connect(**_options(self._settings), data_converter=self._converter)
        except TROUBLE as error:
            raise self.unavailable(error) from error


def _options(settings: TemporalRunnerSettings) -> dict[str, Any]:
    """Return the arguments of `Client.connect`: Temporal's own configuration, and over it what ours says."""
    told = ClientConfig.load_client_connect_config(profile=settings.profile)
    options: dict[str, Any] = {**told, "target_host": settings.address, "namespace": settings.namespace}
    if settings.api_key is not None:
        options["api_key"] = settings.api_key.get_secret_value()
    options["retry_config"] = RetryConfig(max_retries=3, max_elapsed_time_millis=1500)
    return options
