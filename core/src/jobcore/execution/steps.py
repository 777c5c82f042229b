"""Durable steps: what a job did once, no later attempt does again."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints
from uuid import uuid4

import orjson
from pydantic import BaseModel

from jobcore.errors import InputError, NonRetryableError, PayloadLimitError
from jobcore.execution.results import as_json_value
from jobcore.limits import check_key, encode_payload
from jobcore.models import Claim
from jobcore.ports.codec import PayloadCodec
from jobcore.ports.runner import ClaimSession

_ONCE = "#once:"


class StepResultError(NonRetryableError):
    """A step returned what cannot be stored, so that no later attempt could know it was done."""


class StepKeys:
    """Numbers the steps of one run: those of one name are told apart by their order."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next(self, name: str) -> str:
        """Return the key of the next step of this name. Raises `InputError` for a name that cannot be stored."""
        if check_key("A step's name", name).startswith("#"):
            raise InputError(f"A step's name must not begin with '#': {name!r}.")
        self._seen[name] += 1
        return f"{name}#{self._seen[name]}"


class Steps:
    """The steps of one run. A step's key is `name#occurrence`; the first stored result of a key wins."""

    __slots__ = ("_claim", "_codec", "_loading", "_session", "_stored", "next_key")

    def __init__(self, claim: Claim, session: ClaimSession, codec: PayloadCodec) -> None:
        self._claim = claim
        self._session = session
        self._codec = codec
        self._stored: Mapping[str, bytes] | None = None
        self._loading: asyncio.Lock | None = None
        self.next_key = StepKeys().next

    async def run(self, name: str, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return the stored result of this step, or run `fn` (`def` or `async def`) here and store what it returns."""
        key = self.next_key(name)
        stored = await self.find(key)
        if stored is None:
            result = fn(*args, **kwargs)
            stored = await self.save(key, await result if inspect.isawaitable(result) else result)
        return revive(fn, stored)

    async def find(self, key: str) -> bytes | None:
        """Return the stored result of a step as JSON, or `None`. The steps are loaded once, when first needed."""
        if self._stored is None:
            self._loading = self._loading or asyncio.Lock()
            async with self._loading:
                if self._stored is None:
                    self._stored = await self._session.load_steps()
        stored = self._stored.get(key)
        return None if stored is None else self._open(stored)

    async def save(self, key: str, result: Any) -> bytes:
        """Store a step's result unless it has one; return the one that stands, as JSON.

        Raises:
            StepResultError: if `result` is not JSON, or is too large.
        """
        return await self.save_encoded(key, encode_step(key, result))

    async def save_encoded(self, key: str, encoded: bytes) -> bytes:
        claim = self._claim
        sealed = self._codec.encode(encoded, tenant=claim.tenant, job_id=claim.job_id)
        return self._open(await self._session.save_step(key, sealed))

    async def once(self, key: str) -> bool:
        """Return true the first time that the job asks for `key`, in whichever attempt."""
        token = uuid4().hex
        return orjson.loads(await self.save(_ONCE + check_key("A key of once()", key), token)) == token

    def _open(self, stored: bytes) -> bytes:
        return self._codec.decode(stored, tenant=self._claim.tenant, job_id=self._claim.job_id)


def encode_step(key: str, result: Any) -> bytes:
    """Return what a step returned as JSON. Raises `StepResultError` if it is not JSON, or is too large."""
    try:
        return encode_payload(as_json_value(result))
    except PayloadLimitError as error:
        problem = str(error).replace("The payload", "what it returned")
        raise StepResultError(f"Step {key!r} cannot be recorded: {problem}") from error


def revive(fn: Callable[..., Any], stored: bytes) -> Any:
    """Return a step's stored result; as a pydantic model where `fn` is annotated to return one."""
    model = _returned_model(fn)
    return orjson.loads(stored) if model is None else model.model_validate_json(stored)


def _returned_model(fn: Callable[..., Any]) -> type[BaseModel] | None:
    if not inspect.isroutine(fn) or "return" not in getattr(fn, "__annotations__", ()):
        return None
    try:
        annotation = get_type_hints(fn)["return"]
    except NameError:
        return None  # the annotation is for the type checker only
    return annotation if inspect.isclass(annotation) and issubclass(annotation, BaseModel) else None
