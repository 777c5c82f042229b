"""Keeping secrets out of what is stored and logged: by the name of a key, and by the look of a text.

Redaction errs on the side of hiding. Every pattern runs in time proportional to the text, whatever the text is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from traceback import TracebackException
from typing import Any, cast

HIDDEN = "[redacted]"
MAX_DEPTH = 32
MAX_NODES = 100_000
_MAX_FRAMES = 40
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_SECRET_PARTS = frozenset(
    {
        "password", "passwd", "passphrase", "secret", "authorization", "apikey", "privatekey", "accesskey",
        "signingkey", "encryptionkey", "masterkey", "accesstoken", "refreshtoken", "authtoken", "bearertoken",
        "idtoken", "cookie", "credential", "sessionid", "connectionstring", "cardnumber",
    }
)  # fmt: skip
"""A key that holds one of these, written without case and separators, is secret: `db_password`, `X-Api-Key`."""

_SECRET_WORDS = frozenset({"token", "pwd", "pass", "jwt", "otp", "cvv", "cvc", "ssn", "dsn", "pin"})
"""A key that has one of these as a word is secret: `csrf_token`, `userPin`, but not `spinner`."""

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")

_NAMES = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|api[_\- ]?key|private[_\- ]?key|access[_\- ]?key|signing[_\- ]?key"
    r"|authorization|cookie|credentials?|session[_\-]?id"
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'"
_SHOWN = r"(?!\[redacted\])"
_HEADERS = r"(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token"
_MARKED_KEYS = "|".join(
    (
        r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
        r"gh[pousr]_\w{20,}+|github_pat_\w{20,}+|glpat-[\w\-]{16,}+",
        r"xox[abeprs]-[\w\-]{10,}+",  # Slack
        r"[sr]k[_\-](?:live|test|proj|ant)[_\-][\w\-]{10,}+",  # Stripe and others
        r"AIza[\w\-]{30,}+",  # Google
        r"npm_\w{30,}+",
        r"whsec_[\w+/=]{16,}+",  # Standard Webhooks
    )
)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # A private key; to the end of the text if its last line was cut off.
    (re.compile(r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"), HIDDEN),
    # scheme://user:password@host
    (re.compile(r"(?<=://)(?:[^\s/?#\"'<>@]*+@)++"), f"{HIDDEN}@"),
    # "password": "x", 'password': 'x', password="x"
    (re.compile(rf"(?is)((?:{_NAMES})[\w\-]{{0,30}}+[\"']?+\s{{0,4}}+[:=]\s{{0,4}}+)(?:{_QUOTED})"), rf"\1{HIDDEN}"),
    # Authorization: Basic x
    (re.compile(rf"(?i)\b((?:{_HEADERS})\s{{0,4}}+:\s{{0,4}}+){_SHOWN}[^\r\n]+"), rf"\1{HIDDEN}"),
    # password=x in a query, a form, a connection string or a command line
    (re.compile(rf"(?i)((?:{_NAMES})[\w\-]{{0,30}}+\s?+=\s?+){_SHOWN}[^\s&]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer\s{1,4}+)[A-Za-z0-9._~+/\-]{8,}+=*+"), rf"\1{HIDDEN}"),
    # JSON Web Tokens
    (re.compile(r"(?<![\w\-])eyJ[\w\-]{4,}+\.[\w\-]{4,}+(?:\.[\w\-]*+)?"), HIDDEN),
    (re.compile(rf"\b(?:{_MARKED_KEYS})"), HIDDEN),
    # pydantic quotes the value that did not validate
    (re.compile(r"(\binput_value=)(?:(?!, input_type=)[^\n])*+"), rf"\1{HIDDEN}"),
)


@dataclass(frozen=True, slots=True)
class Redactor:
    """What counts as secret. `keys` are names beyond the built-in ones, matched without case and separators."""

    keys: frozenset[str] = frozenset()

    def with_keys(self, names: Iterable[str]) -> Redactor:
        """Return a redactor that also hides the values of keys that contain one of `names`."""
        squeezed = frozenset(_squeezed(name) for name in names) - {""}
        return replace(self, keys=self.keys | squeezed)

    def hides(self, key: str) -> bool:
        """Return whether values under `key` are secret."""
        squeezed = _squeezed(key[:256])
        if any(part in squeezed for part in _SECRET_PARTS | self.keys):
            return True
        words = {word.lower() for word in _WORDS.findall(key[:256])}
        return not _SECRET_WORDS.isdisjoint(words | {word.removesuffix("s") for word in words})

    def redact(self, value: Any) -> Any:
        """Return a copy of `value` without secrets: mappings, sequences, sets and strings, to any depth.

        Under a secret key everything is hidden but `None` and booleans. Other objects are returned as they are. What is
        nested deeper than 32 levels, and what comes after 100,000 values, is left out and says so.
        """
        return _Walk(self).visit(value, 0)

    def redact_text(self, text: str) -> str:
        """Return `text` with everything hidden that looks like a secret."""
        for pattern, substitute in _PATTERNS:
            text = pattern.sub(substitute, text)
        return text


class _Walk:
    """One pass over one value, with its budget of nodes."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = MAX_NODES

    def visit(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0:
            return "[left out: too many values]"
        if isinstance(value, str):
            return self._redactor.redact_text(value)
        if isinstance(value, bytes | bytearray):
            return f"[{len(value)} bytes]"
        if isinstance(value, Mapping):
            return self._mapping(cast("Mapping[Any, Any]", value), depth)
        if isinstance(value, list | tuple | Set):
            return self._list(cast("Iterable[Any]", value), depth)
        return value

    def _mapping(self, fields: Mapping[Any, Any], depth: int) -> Any:
        if depth == MAX_DEPTH:
            return "[left out: nested too deep]"
        copy: dict[Any, Any] = {}
        for key, value in fields.items():
            if self._left < 0:
                break
            if isinstance(key, str) and self._redactor.hides(key):
                copy[key] = value if value is None or isinstance(value, bool) else HIDDEN
            else:
                copy[key] = self.visit(value, depth + 1)
        return copy

    def _list(self, items: Iterable[Any], depth: int) -> Any:
        if depth == MAX_DEPTH:
            return "[left out: nested too deep]"
        copy: list[Any] = []
        for item in items:
            copy.append(self.visit(item, depth + 1))
            if self._left < 0:
                break
        return copy


DEFAULT_REDACTOR = Redactor()


def redact(value: Any) -> Any:
    """Return a copy of `value` without secrets, by the built-in rules; see `Redactor.redact`."""
    return DEFAULT_REDACTOR.redact(value)


def redact_text(text: str) -> str:
    """Return `text` without secrets, by the built-in rules."""
    return DEFAULT_REDACTOR.redact_text(text)


def hide_dsn(url: str) -> str:
    """Return a database URL or a `key=value` connection string that can be shown: without what it logs in with.

    Also where the password holds characters that a URL should have escaped, `/` or `@` among them.
    """
    scheme, separator, rest = url.partition("://")
    if separator and "@" in rest:
        url = f"{scheme}://{HIDDEN}@{rest.rpartition('@')[2]}"
    return redact_text(url)


def describe_exception(
    exc: BaseException, *, limit: int = 16_000, redactor: Redactor = DEFAULT_REDACTOR
) -> dict[str, str]:
    """Return `type`, `message` and `traceback` of an exception, redacted, and fit for a PostgreSQL column.

    The traceback has no local variables; it includes causes, contexts, notes and the members of groups. This never
    fails, whatever the exception's own methods do.

    Args:
        limit: the most characters of the traceback; the message has at most a quarter of it. Where a traceback is
            longer, its middle is left out.
    """
    kind = type(exc)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    room = limit // 4
    message = _head(_message_of(exc), 4 * room)
    trace = _ends(_traceback_of(exc), 4 * limit)
    return {
        "type": _storable(name[:200]),
        "message": _storable(_head(redactor.redact_text(message), room)),
        "traceback": _storable(_ends(redactor.redact_text(trace), limit)[:limit]),
    }


def _message_of(exc: BaseException) -> str:
    try:
        return str(exc)
    except BaseException as error:  # noqa: BLE001 - a foreign __str__ may raise anything, SystemExit too
        return f"(its message cannot be shown: __str__ raised {type(error).__name__})"


def _traceback_of(exc: BaseException) -> str:
    try:
        trace = TracebackException(
            type(exc), exc, exc.__traceback__, limit=-_MAX_FRAMES, compact=True, max_group_width=10, max_group_depth=5
        )
        return "".join(trace.format())
    except BaseException as error:  # noqa: BLE001 - a foreign exception may override anything that the formatter reads
        return f"(its traceback cannot be shown: formatting it raised {type(error).__name__})"


def _head(text: str, limit: int) -> str:
    """Cut at a space, so that no half of a secret is left; before redaction too, which costs time by length."""
    if len(text) <= limit:
        return text
    room = max(0, limit - 2)
    space = text.rfind(" ", room // 2, room)
    return (text[: room if space < 0 else space] + " …")[:limit]


def _ends(text: str, limit: int) -> str:
    """Leave out the middle, at line ends."""
    if len(text) <= limit:
        return text
    note = "\n[… the middle is left out …]\n"
    first = limit // 4
    last = limit - first - len(note)
    head, tail = text[:first], text[len(text) - max(0, last) :]
    return head[: head.rfind("\n") + 1 or None].rstrip("\n") + note + tail[tail.find("\n") + 1 :]


def _storable(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _squeezed(name: str) -> str:
    return _NOT_LETTERS.sub("", name.lower())
