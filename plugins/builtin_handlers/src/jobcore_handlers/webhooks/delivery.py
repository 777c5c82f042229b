"""One delivery: a signed POST with one deadline for everything, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from urllib.parse import urlsplit

import httpx

from jobcore.errors import InputError, JobcoreError

DEADLINE = timedelta(seconds=5)
MAX_RESPONSE_BYTES = 64 * 1024
KEPT_RESPONSE_CHARS = 1000


class DeliveryFailedError(JobcoreError):
    """An endpoint did not take a webhook; the job tries again by its policy."""


class UnsafeUrlError(InputError):
    """A subscription's address is not one that webhooks may be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one attempt."""

    sent_at: datetime
    duration: timedelta
    status_code: int | None = None
    error: str | None = None
    """Why it counts as failed; `None` if it was delivered."""
    response: str | None = None
    """The beginning of what the endpoint answered."""

    @property
    def is_delivered(self) -> bool:
        return self.error is None


class Deliverer:
    """Sends webhooks. Redirects are not followed and proxies of the environment are not used.

    Args:
        allow_http: send to plain `http` addresses too; for tests and closed networks.
        deadline: for the connection, the request and the whole response together (B14).
    """

    def __init__(self, *, allow_http: bool = False, deadline: timedelta = DEADLINE) -> None:
        self._allow_http = allow_http
        self._deadline = deadline

    async def deliver(self, url: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """POST `body` and say what came of it; an endpoint that fails is an answer, not an exception.

        Raises:
            UnsafeUrlError: if the address is none that webhooks may be sent to.
        """
        self.check(url)
        sent_at, began = datetime.now(UTC), monotonic()
        status_code: int | None = None
        response: str | None = None
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                status_code, response = await self._post(url, body, headers)
            error = None if 200 <= status_code < 300 else f"The endpoint answered {status_code}."
        except TimeoutError:
            error = f"The endpoint did not answer within {self._deadline.total_seconds():g} seconds."
        except httpx.HTTPError as failure:
            error = f"The endpoint could not be reached: {type(failure).__name__}: {failure}"
        return Delivery(
            sent_at=sent_at,
            duration=timedelta(seconds=monotonic() - began),
            status_code=status_code,
            error=error,
            response=response,
        )

    def check(self, url: str) -> None:
        """Raise `UnsafeUrlError` unless webhooks may be sent to `url`."""
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError as error:
            raise UnsafeUrlError(f"The webhook address is not a URL: {error}") from None
        allowed = {"https", "http"} if self._allow_http else {"https"}
        if parts.scheme not in allowed or not host:
            raise UnsafeUrlError(f"A webhook address begins with {' or '.join(sorted(allowed))}:// and names a host.")
        if parts.username or parts.password:
            raise UnsafeUrlError("A webhook address must not hold a user or a password.")

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        limit = self._deadline.total_seconds()
        async with (
            httpx.AsyncClient(timeout=limit, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=body, headers={**headers, "Content-Type": "application/json"}) as answer,
        ):
            received = bytearray()
            async for chunk in answer.aiter_raw(8192):
                received += chunk
                if len(received) > MAX_RESPONSE_BYTES:
                    break
            text = (
                received[: KEPT_RESPONSE_CHARS * 4]
                .decode("utf-8", "replace")
                .replace("\0", "\N{REPLACEMENT CHARACTER}")
            )
            return answer.status_code, text[:KEPT_RESPONSE_CHARS]
