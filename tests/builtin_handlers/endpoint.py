"""A subscriber of webhooks: a real HTTP server, with TLS if wanted, that answers as it is told."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any, BinaryIO, Self

from jobcore_handlers.webhooks.addresses import Address
from jobcore_handlers.webhooks.delivery import Deliverer
from jobcore_handlers.webhooks.guard import HostNotFoundError


class Endpoint(ThreadingHTTPServer):
    """Keeps what it got; `status`, `headers` and `body` are its answer, `write` sends what else is wanted."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.scheme = "http" if tls is None else "https"
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b"thank you"
        self.write: Callable[[BinaryIO], None] | None = None
        self.hold = threading.Event()
        self.hold.set()
        self.received: list[tuple[dict[str, str], bytes]] = []

    @classmethod
    @contextmanager
    def serving(cls, tls: ssl.SSLContext | None = None) -> Iterator[Self]:
        server = cls(tls)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.hold.set()
            server.shutdown()
            server.server_close()
            thread.join()

    def url_of(self, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.server_port}/hook"

    @property
    def url(self) -> str:
        return self.url_of()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that gives up, or does not trust the certificate, is what some tests are about."""


class _Request(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.server.hold.wait()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)
        if self.server.write is not None:
            self.server.write(self.wfile)  # pyright: ignore[reportArgumentType]

    def log_message(self, *_: Any) -> None: ...


def local_deliverer(**options: Any) -> Deliverer:
    """A sender that may reach the test's own server."""
    return Deliverer(**{"allow_http": True, "allow_private": True, "ports": range(65536), **options})


class FixedResolver:
    """Resolves from a table, one answer a call; the last answer stays. Keeps what it was asked."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[Address]:
        self.asked.append(host)
        name = host.partition(".")[0]
        if name not in self._answers:
            raise HostNotFoundError(f"The host of the webhook address was not found ({host}).")
        left = self._answers[name]
        return [ip_address(text) for text in (left.pop(0) if len(left) > 1 else left[0])]
