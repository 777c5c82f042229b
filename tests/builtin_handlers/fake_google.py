"""A stand-in for Google Calendar's push channels, with Google's token endpoint."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from builtin_handlers.fake_service import FakeService, Reply, Request

LONGEST = 604_800
"""Seconds."""


@dataclass
class Opened:
    id: str
    user: str
    calendar: str
    resource: str
    address: str
    token: str
    expiration: int


class FakeGoogle(FakeService):
    """Validates what it gets. Channels cannot be listed, and an id serves once, as at Google."""

    def __init__(self) -> None:
        super().__init__()
        self.channels: dict[str, Opened] = {}
        self._ids: set[str] = set()

    @property
    def api_url(self) -> str:
        return f"{self.url}/calendar/v3"

    @property
    def oauth_url(self) -> str:
        return f"{self.url}/token"

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            self.complain(f"{request.method} {request.path}")
            return _error(405, "methodNotAllowed")
        if request.path == "/token":
            return self.give_tokens(request.form(), {"refresh_token"})
        if request.bearer not in self.access_tokens:
            return _error(401, "authError")
        user, asked = self.access_tokens[request.bearer], request.json()
        watch = re.fullmatch(r"/calendar/v3/calendars/([^/]+)/events/watch", request.path)
        if not isinstance(asked, dict) or not (watch or request.path == "/calendar/v3/channels/stop"):
            self.complain(f"{request.path} with {request.body!r}")
            return _error(400, "badRequest")
        return self._watch(user, watch[1], asked) if watch else self._stop(user, asked)

    def _watch(self, user: str, calendar: str, asked: dict[str, Any]) -> Reply:
        reason = _problem(asked)
        if reason is not None:
            self.complain(f"{reason}: {asked}")
            return _error(400, reason)
        if calendar not in ("primary", user):
            return _error(404, "notFound")
        if asked["id"] in self._ids:
            return _error(400, "channelIdNotUnique")
        self._ids.add(asked["id"])
        expiration = (int(time.time()) + int(asked["params"]["ttl"])) * 1000
        resource = uuid5(NAMESPACE_URL, user).hex
        self.channels[asked["id"]] = Opened(
            asked["id"], user, calendar, resource, asked["address"], asked["token"], expiration
        )
        return Reply(200, {
            "kind": "api#channel", "id": asked["id"], "resourceId": resource, "token": asked["token"],
            "resourceUri": f"{self.api_url}/calendars/{calendar}/events", "expiration": str(expiration),
        })  # fmt: skip

    def _stop(self, user: str, asked: dict[str, Any]) -> Reply:
        if set(asked) != {"id", "resourceId"} or not asked["resourceId"]:
            self.complain(f"stop with {asked}")
            return _error(400, "required")
        found = self.channels.get(asked["id"])
        if found is None or (found.user, found.resource) != (user, asked["resourceId"]):
            return _error(404, "notFound")
        del self.channels[found.id]
        return Reply(204)


def _problem(asked: dict[str, Any]) -> str | None:
    if set(asked) != {"id", "type", "address", "token", "params"} or asked["type"] != "web_hook":
        return "required"
    if not re.fullmatch(r"[A-Za-z0-9\-_+/=]{1,64}", asked["id"]):
        return "invalidChannelId"
    if not asked["address"].startswith("https://"):
        return "push.webhookUrlNotHttps"
    if not 0 < len(asked["token"]) <= 256:
        return "channelTokenTooLong"
    ttl = asked["params"].get("ttl")
    if not (isinstance(ttl, str) and ttl.isdecimal() and 0 < int(ttl) <= LONGEST):
        return "invalidTtl"
    return None


def _error(status: int, reason: str) -> Reply:
    message = "calendar of sally@example.com"
    errors = [{"domain": "global", "reason": reason, "message": message}]
    return Reply(status, {"error": {"code": status, "message": message, "errors": errors}})
