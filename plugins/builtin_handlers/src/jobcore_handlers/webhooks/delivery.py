"""One delivery: a signed POST with one deadline for everything, and what came of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic

import httpcore
import httpx

from jobcore.errors import JobcoreError
from jobcore.redaction import redact_text
from jobcore_handlers.webhooks.guard import (
    HTTPS_PORT,
    GuardedNetwork,
    HostNotFoundError,
    Resolver,
    SystemResolver,
    UnsafeUrlError,
    parse_url,
    port_of,
)
from jobcore_handlers.webhooks.retry_after import read_retry_after

DEADLINE = timedelta(seconds=5)
MAX_RESPONSE_BYTES = 64 * 1024
KEPT_RESPONSE_CHARS = 1000
SLOW_DOWN = (429, 503)
"""The answers whose Retry-After is heeded."""


class DeliveryFailedError(JobcoreError):
    """An endpoint did not take a webhook; the job tries again by its policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What came of one attempt."""

    duration: timedelta
    status_code: int | None = None
    error: str | None = None
    """Why it counts as failed; `None` if it was delivered."""
    response: str | None = None
    """The beginning of what the endpoint answered, without what looks like a secret."""
    retry_after: timedelta | None = None
    """How long the endpoint asks to be left alone."""

    @property
    def is_delivered(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class _Answer:
    status_code: int
    text: str
    retry_after: timedelta | None

    @property
    def error(self) -> str | None:
        return None if 200 <= self.status_code < 300 else f"The endpoint answered {self.status_code}."


class Deliverer:
    """Sends webhooks, to public addresses only. Redirects are not followed; proxies of the environment are not used.

    Args:
        allow_http: send to plain `http` addresses too; for tests and closed networks.
        allow_private: DANGEROUS: send to addresses of the machine and of its networks too, so that whoever enters an
            address reaches what stands behind the firewall. For tests, and for closed networks with trusted users.
        ports: that an address may name.
        deadline: for the name's resolution, the connection, the request and the whole response together (B14).
        resolver: instead of the operating system's.
        ssl_context: instead of one that trusts the public authorities.
    """

    def __init__(
        self,
        *,
        allow_http: bool = False,
        allow_private: bool = False,
        ports: Collection[int] = (HTTPS_PORT,),
        deadline: timedelta = DEADLINE,
        resolver: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._allow_http = allow_http
        self._ports = frozenset(ports)
        self._deadline = deadline
        self._network = GuardedNetwork(resolver or SystemResolver(), allow_private=allow_private)
        self._ssl_context = ssl_context or httpx.create_ssl_context(trust_env=False)

    def check(self, url: str) -> None:
        """Raise `UnsafeUrlError` unless `url` is written as the address of a webhook may be. Resolves nothing."""
        self._parsed(url)

    async def deliver(self, url: str, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """POST `body` and say what came of it; an endpoint that fails, or may not be reached, is an answer."""
        began = monotonic()
        answer: _Answer | None = None
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                answer = await self._post(self._parsed(url), body, headers)
            error = answer.error
        except TimeoutError:
            error = f"The endpoint did not answer within {self._deadline.total_seconds():g} seconds."
        except (UnsafeUrlError, HostNotFoundError) as failure:
            error = str(failure)
        except (httpcore.NetworkError, httpcore.ProtocolError) as failure:
            error = f"The endpoint could not be reached: {type(failure).__name__}{_why(failure)}."
        return Delivery(
            duration=timedelta(seconds=monotonic() - began),
            status_code=None if answer is None else answer.status_code,
            error=error,
            response=None if answer is None else answer.text,
            retry_after=None if answer is None else answer.retry_after,
        )

    def _parsed(self, url: str) -> httpx.URL:
        return parse_url(url, allow_http=self._allow_http, ports=self._ports)

    async def _post(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> _Answer:
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port_of(url), target=url.raw_path)
        fields = [*headers.items(), ("Host", url.netloc.decode("ascii")), ("Content-Type", "application/json")]
        async with (
            httpcore.AsyncConnectionPool(self._ssl_context, network_backend=self._network) as pool,
            pool.stream("POST", target, headers=fields, content=body) as answer,
        ):
            text = await _beginning(answer)
            retry_after = read_retry_after(answer.headers) if answer.status in SLOW_DOWN else None
            return _Answer(answer.status, text, retry_after)


async def _beginning(answer: httpcore.Response) -> str:
    """Read what the endpoint says, up to 64 KB, and keep the first characters."""
    received = bytearray()
    async for chunk in answer.aiter_stream():
        received += chunk
        if len(received) >= MAX_RESPONSE_BYTES:
            break
    text = received[: KEPT_RESPONSE_CHARS * 4].decode("utf-8", "replace")
    return redact_text(text.replace("\0", "\N{REPLACEMENT CHARACTER}"))[:KEPT_RESPONSE_CHARS]


def _why(failure: BaseException) -> str:
    """Return what TLS did not like; other causes name nothing but addresses."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f" ({cause.verify_message})"
        cause = cause.__cause__ or cause.__context__
    return ""
