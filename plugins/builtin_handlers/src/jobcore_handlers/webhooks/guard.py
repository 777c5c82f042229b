"""The guard against requests to internal services (SSRF): a network that connects to public addresses only.

A name is resolved once, every address that it has is judged, and the connection goes to an address that was judged: a
name that changes its mind between the check and the connection gains nothing. HTTP and TLS above it keep the name, so
that the `Host` header, SNI and the certificate's check are those of the URL.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Protocol, cast

import httpcore
import httpx

from jobcore.errors import InputError
from jobcore_handlers.webhooks.addresses import Address, is_public

HTTPS_PORT = 443
MAX_URL_CHARS = 2048


class UnsafeUrlError(InputError):
    """A subscription's address is not one that webhooks may be sent to."""


class HostNotFoundError(OSError):
    """A subscription's host has no address."""


class Resolver(Protocol):
    """Finds the addresses of a host."""

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        """Return all addresses of `host`, the preferred one first. Raises `HostNotFoundError` if it has none."""
        ...


class SystemResolver:
    """The operating system's resolver, on threads of its own: slow name servers must not hold up other work."""

    def __init__(self, threads: int = 8) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="webhook-resolver")

    async def resolve(self, host: str, port: int) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _look_up, host, port)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only.

    Args:
        resolver: asked once for each connection.
        allow_private: DANGEROUS: connect to addresses of the machine and of its networks as well. For tests, and for
            closed networks whose subscribers are all trusted.
    """

    def __init__(self, resolver: Resolver, *, allow_private: bool = False) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        # Its type is that of the stand-in which httpcore has for installations without anyio, which httpx brings.
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._judged(host, port)
        for number, address in enumerate(addresses, 1):
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                if number == len(addresses):
                    raise
        raise HostNotFoundError("The host of the webhook address has no address.")

    async def _judged(self, host: str, port: int) -> Sequence[Address]:
        addresses = await self._resolver.resolve(host, port)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise UnsafeUrlError(
                "The webhook address leads to a host that is not in the public internet; nothing was sent."
            )
        return addresses


def parse_url(url: str, *, allow_http: bool = False, ports: Collection[int] = (HTTPS_PORT,)) -> httpx.URL:
    """Return the parts of a webhook address. What its host resolves to is judged when it is connected to.

    Raises:
        UnsafeUrlError: if the address is none that webhooks may be sent to.
    """
    if len(url) > MAX_URL_CHARS:
        raise UnsafeUrlError(f"A webhook address has at most {MAX_URL_CHARS} characters.")
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise UnsafeUrlError(f"The webhook address is not a URL: {error}") from None
    allowed = ["https", "http"] if allow_http else ["https"]
    if parts.scheme not in allowed or not parts.raw_host:
        raise UnsafeUrlError(f"A webhook address begins with {' or '.join(allowed)}:// and names a host.")
    if parts.userinfo:
        raise UnsafeUrlError("A webhook address must not hold a user or a password.")
    if port_of(parts) not in ports:
        raise UnsafeUrlError(
            f"Webhooks are not sent to port {port_of(parts)}, but to {', '.join(map(str, sorted(ports)))}; "
            "JOBCORE_BUILTIN__WEBHOOK_PORTS lists them."
        )
    return parts


def port_of(url: httpx.URL) -> int:
    """Return the port of an `http` or `https` URL."""
    return url.port or (HTTPS_PORT if url.scheme == "https" else 80)


def _look_up(host: str, port: int) -> Sequence[Address]:
    # As bytes: as text, Python encodes the name itself, and raises UnicodeError for one that is too long.
    try:
        found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise HostNotFoundError(f"The host of the webhook address was not found: {error.strerror}.") from error
    return [ip_address(address[0]) for *_, address in found]
