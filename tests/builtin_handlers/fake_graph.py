"""A stand-in for Microsoft Graph's subscriptions, with Entra's token endpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from builtin_handlers.fake_service import FakeService, Reply, Request

LONGEST = timedelta(minutes=10_080)
"""How long a subscription to events of a calendar may live."""

_FIELDS = {"changeType", "notificationUrl", "resource", "expirationDateTime", "clientState"}


@dataclass
class Subscribed:
    id: str
    user: str
    change_type: str
    address: str
    resource: str
    client_state: str
    expires_at: datetime

    def document(self, *, with_state: bool) -> dict[str, Any]:
        return {
            "id": self.id,
            "resource": self.resource,
            "applicationId": "24d3b144-21ae-4080-943f-7067b395b913",
            "changeType": self.change_type,
            "notificationUrl": self.address,
            "expirationDateTime": self.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "7Z",  # seven digits, as Graph
            "clientState": self.client_state if with_state else None,
        }


class FakeGraph(FakeService):
    """Validates what it gets, keeps one subscription for a user's resource, and lists by pages."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions: dict[str, Subscribed] = {}
        self.allows_duplicates = False
        self.page_size = 2
        self.next_link_host: str | None = None

    @property
    def api_url(self) -> str:
        return f"{self.url}/v1.0"

    @property
    def oauth_url(self) -> str:
        return f"{self.url}/{{directory}}/oauth2/v2.0/token"

    def of(self, user: str) -> list[Subscribed]:
        return [one for one in self.subscriptions.values() if one.user == user]

    def answer(self, request: Request) -> Reply:
        if re.fullmatch(r"/[\w.-]+/oauth2/v2\.0/token", request.path) and request.method == "POST":
            return self._token(request)
        if request.bearer not in self.access_tokens:
            return _error(401, "InvalidAuthenticationToken")
        user = self.access_tokens[request.bearer]
        known, _, name = request.path.removeprefix("/v1.0").removeprefix("/subscriptions").partition("/")
        if known or not request.path.startswith("/v1.0/subscriptions"):
            self.complain(f"no such path: {request.path}")
            return _error(400, "BadRequest")
        if not name:
            return self._create(user, request) if request.method == "POST" else self._list(user, request)
        found = self.subscriptions.get(name)
        if found is None or found.user != user:
            return _error(404, "ResourceNotFound")
        return self._renew(found, request) if request.method == "PATCH" else self._delete(found, request)

    def _token(self, request: Request) -> Reply:
        form = request.form()
        directory = request.path.split("/")[1]
        if form.get("grant_type") == "client_credentials" and (
            directory in ("common", "organizations") or form.get("scope") != "https://graph.microsoft.com/.default"
        ):
            self.complain(f"client credentials at {directory} for {form.get('scope')}")
            return Reply(400, {"error": "invalid_request"})
        return self.give_tokens(form, {"refresh_token", "client_credentials"})

    def _create(self, user: str, request: Request) -> Reply:
        asked = request.json()
        problem = self._problem(user, asked)
        if problem is not None:
            self.complain(problem)
            return _error(400, "InvalidRequest", problem)
        same = [one for one in self.of(user) if one.resource == asked["resource"]]
        if same and not self.allows_duplicates:
            return _error(409, "Conflict", f"Subscription Id {same[0].id} already exists for the requested combination")
        created = Subscribed(
            str(uuid4()), user, asked["changeType"], asked["notificationUrl"], asked["resource"],
            asked["clientState"], _time(asked["expirationDateTime"]) or datetime.now(UTC),
        )  # fmt: skip
        self.subscriptions[created.id] = created
        return Reply(201, created.document(with_state=True))

    def _problem(self, user: str, asked: Any) -> str | None:
        if not isinstance(asked, dict) or set(asked) != _FIELDS:
            return f"not exactly the fields of a subscription, in JSON: {asked}"
        if not set(asked["changeType"].split(",")) <= {"created", "updated", "deleted"}:
            return f"changeType {asked['changeType']}"
        if not asked["notificationUrl"].startswith("https://"):
            return f"notificationUrl {asked['notificationUrl']}"
        if not asked["resource"].endswith("/events") or asked["resource"].startswith("me/") is not bool(user):
            return f"resource {asked['resource']} with the token of {user or 'the application'}"
        if not 0 < len(asked["clientState"]) <= 128:
            return f"clientState of {len(asked['clientState'])} characters"
        return _bad_expiration(asked["expirationDateTime"])

    def _list(self, user: str, request: Request) -> Reply:
        if request.method != "GET":
            self.complain(f"{request.method} of all subscriptions")
            return _error(405, "MethodNotAllowed")
        start = int(request.query.get("$skiptoken", ["0"])[0])
        visible = self.of(user)
        page: dict[str, Any] = {
            "value": [one.document(with_state=False) for one in visible[start : start + self.page_size]]
        }
        if start + self.page_size < len(visible):
            host = self.next_link_host or self.url
            page["@odata.nextLink"] = f"{host}/v1.0/subscriptions?$skiptoken={start + self.page_size}"
        return Reply(200, page)

    def _renew(self, found: Subscribed, request: Request) -> Reply:
        asked = request.json()
        if not isinstance(asked, dict) or set(asked) != {"expirationDateTime"}:
            self.complain(f"PATCH with {asked}")
            return _error(400, "InvalidRequest")
        problem = _bad_expiration(asked["expirationDateTime"])
        if problem is not None:
            self.complain(problem)
            return _error(400, "InvalidRequest", problem)
        found.expires_at = _time(asked["expirationDateTime"]) or found.expires_at
        return Reply(200, found.document(with_state=False))

    def _delete(self, found: Subscribed, request: Request) -> Reply:
        if request.method != "DELETE" or request.body:
            self.complain(f"{request.method} of a subscription")
            return _error(405, "MethodNotAllowed")
        del self.subscriptions[found.id]
        return Reply(204)


def _bad_expiration(text: Any) -> str | None:
    moment, now = _time(text), datetime.now(UTC)
    if moment is None or not now < moment <= now + LONGEST:
        return f"expirationDateTime {text}"
    return None


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", text):
        return None
    return datetime.fromisoformat(text)


def _error(status: int, code: str, message: str = "asked for by sally@example.com") -> Reply:
    return Reply(status, {"error": {"code": code, "message": message, "innerError": {"request-id": str(uuid4())}}})
