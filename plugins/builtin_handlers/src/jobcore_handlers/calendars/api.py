"""Requests to a calendar service: with a bearer token, a deadline, a bounded answer and a few careful retries."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import httpx
import orjson

from jobcore_handlers.calendars.errors import (
    OutcomeUnknownError,
    ServiceConflictError,
    ServiceGoneError,
    ServiceRefusedError,
    ServiceThrottledError,
    UnexpectedAnswerError,
)
from jobcore_handlers.calendars.wire import error_code
from jobcore_handlers.retry_after import retry_after

MAX_ANSWER_BYTES = 512 * 1024
TRIES = 3
FIRST_PAUSE = 0.5
"""Seconds before the second try where the service names no time; doubles."""

_QUOTA_CODES = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
"""Google says with a 403 what others say with a 429."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def is_throttled(self) -> bool:
        return self.status == 429 or (self.status == 403 and error_code(self.document) in _QUOTA_CODES)


class _NotSentError(OutcomeUnknownError):
    """No connection was made: the service has not heard of the request."""


class ServiceApi:
    """One calendar service over HTTP. Redirects are not followed and proxies of the environment are not used.

    Args:
        name: how messages call the service.
        url: where its paths begin.
        timeout: for one request, from connecting to the last byte of the answer.
        longest_wait: the longest Retry-After that is waited for.
    """

    def __init__(self, name: str, url: str, *, timeout: timedelta, longest_wait: timedelta) -> None:
        self.name = name
        self.url = url
        self._timeout = timeout.total_seconds()
        self._longest_wait = longest_wait.total_seconds()

    async def call(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """Send a request and return the answer's document; `None` if it has none.

        Args:
            method: of HTTP.
            url: whole, or a path below the service's own.
            token: the bearer token.
            json: the body.
            form: the body, as a form.
            repeatable: whether a request may be sent again that the service perhaps carried out.

        Raises:
            ServiceRefusedError: with its kinds for what is gone, conflicts or is throttled for too long.
            OutcomeUnknownError: if no answer came, or a failure of the service.
            UnexpectedAnswerError: if an answer is too long or no JSON.
        """
        request = self._request(method, url, token, json, form)
        for earlier in range(TRIES - 1):
            pause = FIRST_PAUSE * 2**earlier
            try:
                answer = await self._send(request)
            except OutcomeUnknownError as error:
                if not (repeatable or isinstance(error, _NotSentError)):
                    raise
            else:
                if not self._may_try_again(answer, repeatable):
                    return self._document_of(answer)
                pause = self._pause_asked_for(answer, pause)
            await asyncio.sleep(pause)
        return self._document_of(await self._send(request))

    def _request(
        self, method: str, url: str, token: str | None, json: Any, form: Mapping[str, str] | None
    ) -> httpx.Request:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        whole = url if url.startswith(("https://", "http://")) else f"{self.url}{url}"
        return httpx.Request(
            method, whole, headers=headers, json=json, data=form, extensions={"timeout": self._transport_timeout}
        )

    async def _send(self, request: httpx.Request) -> _Answer:
        # Not through httpx.AsyncClient: it logs each address at INFO, and a calendar's may be a person's mail address.
        try:
            async with (
                asyncio.timeout(self._timeout),
                httpx.AsyncHTTPTransport(verify=self._ssl, trust_env=False) as transport,
            ):
                response = await transport.handle_async_request(request)
                return _Answer(response.status_code, response.headers, self._parse(await self._read(response)))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise _NotSentError(f"{self.name} could not be reached ({type(error).__name__}).") from None
        except TimeoutError:
            raise OutcomeUnknownError(f"{self.name} did not answer within {self._timeout:g} seconds.") from None
        except httpx.HTTPError as error:
            raise OutcomeUnknownError(f"{self.name} broke off ({type(error).__name__}).") from None

    async def _read(self, response: httpx.Response) -> bytes:
        received = bytearray()
        async for chunk in response.aiter_raw():
            received += chunk
            if len(received) > MAX_ANSWER_BYTES:
                raise UnexpectedAnswerError(self.name, f"it is longer than {MAX_ANSWER_BYTES} bytes")
        return bytes(received)

    def _parse(self, body: bytes) -> Any:
        if not body.strip():
            return None
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            return body

    def _may_try_again(self, answer: _Answer, repeatable: bool) -> bool:
        if answer.is_throttled:
            asked = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
            return asked is None or asked <= self._longest_wait
        return answer.status >= 500 and repeatable

    def _pause_asked_for(self, answer: _Answer, otherwise: float) -> float:
        asked = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        return otherwise if asked is None else min(asked, self._longest_wait)

    def _document_of(self, answer: _Answer) -> Any:
        status, code = answer.status, error_code(answer.document)
        if answer.is_throttled:
            raise ServiceThrottledError(self.name, status, code)
        if status >= 500:
            raise OutcomeUnknownError(f"{self.name} answered {status}{f' ({code})' if code else ''}.")
        if status in (404, 410) or code == "ResourceNotFound":
            raise ServiceGoneError(self.name, status, code)
        if status == 409:
            raise ServiceConflictError(self.name, status, code)
        if not 200 <= status < 300:
            raise ServiceRefusedError(self.name, status, code)
        if isinstance(answer.document, bytes):
            raise UnexpectedAnswerError(self.name, "it is no JSON")
        return answer.document

    @cached_property
    def _ssl(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    @property
    def _transport_timeout(self) -> dict[str, float]:
        return dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
