"""What the stand-ins for calendar services share: a real HTTP server, bearer tokens, faults on demand.

A request that breaks the protocol is answered as the service would, and noted in `complaints`: a test that leaves one
there fails.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4


@dataclass(frozen=True)
class Reply:
    """An answer; `None` as the document is an empty body, bytes are sent as they are."""

    status: int
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bearer(self) -> str | None:
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token if kind == "Bearer" else None

    def json(self) -> Any:
        return json.loads(self.body) if self.headers.get("content-type") == "application/json" else None

    def form(self) -> dict[str, str]:
        if self.headers.get("content-type") != "application/x-www-form-urlencoded":
            return {}
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Fault:
    """What goes wrong with the next `times` requests of a method to a path that begins so."""

    method: str
    path: str
    reply: Reply | None = None
    """Answered instead; `None` closes the connection without a word."""
    carried_out: bool = False
    """Whether the service does what it was asked before it fails."""
    hold: threading.Event | None = None
    """Waited for before anything else."""
    times: int = 1


class FakeService(ThreadingHTTPServer):
    """Serves on loopback; subclasses say how in `answer`. `Reply`s of errors are theirs too."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.RLock()
        self.complaints: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.client_id, self.client_secret = f"client-{uuid4().hex}", f"app-secret-{uuid4().hex}"
        self.refresh_tokens: dict[str, str] = {}
        """By refresh token, whose it is."""
        self.access_tokens: dict[str, str] = {}
        """By access token, whose it is; the application itself is ''."""
        self.rotates = False
        """Whether a refresh gives a new refresh token; the old one is void then."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def enrol(self, user: str) -> str:
        """Return a refresh token of a new user."""
        token = f"refresh-{uuid4().hex}"
        self.refresh_tokens[token] = user
        return token

    def count(self, method: str, path: str) -> int:
        return sum(1 for seen in self.requests if seen[0] == method and seen[1].startswith(path))

    def complain(self, what: str) -> None:
        self.complaints.append(what)

    def answer(self, request: Request) -> Reply:
        raise NotImplementedError

    def give_tokens(self, form: dict[str, str], grants: set[str]) -> Reply:
        """The token endpoint (RFC 6749, sections 4.4, 5 and 6)."""
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return Reply(401, {"error": "invalid_client", "error_description": "no such application"})
        kind = form.get("grant_type", "")
        if kind not in grants:
            self.complain(f"grant_type {kind!r}")
            return Reply(400, {"error": "unsupported_grant_type"})
        if kind == "client_credentials":
            return Reply(200, self._tokens_of(""))
        user = self.refresh_tokens.get(form.get("refresh_token", ""))
        if user is None:
            return Reply(400, {"error": "invalid_grant", "error_description": "revoked by sally@example.com"})
        tokens = self._tokens_of(user)
        if self.rotates:
            del self.refresh_tokens[form["refresh_token"]]
            tokens["refresh_token"] = self.enrol(user)
        return Reply(200, tokens)

    def _tokens_of(self, user: str) -> dict[str, Any]:
        token = f"access-{uuid4().hex}"
        self.access_tokens[token] = user
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": token}

    def take_fault(self, request: Request) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == request.method and request.path.startswith(fault.path):
                fault.times -= 1
                return fault
        return None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            for fault in self.faults:
                if fault.hold is not None:
                    fault.hold.set()
            self.shutdown()
            self.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FakeService

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, unquote(parts.path), parse_qs(parts.query), headers, body)
        with self.server.lock:
            self.server.requests.append((request.method, request.path))
            fault = self.server.take_fault(request)
        if fault is not None and fault.hold is not None:
            fault.hold.wait()
        with self.server.lock:
            reply = self.server.answer(request) if fault is None or fault.carried_out else None
        if fault is not None:
            reply = fault.reply
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def _send(self, reply: Reply) -> None:
        raw = reply.document if isinstance(reply.document, bytes) else json.dumps(reply.document).encode()
        body = b"" if reply.document is None else raw
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...
