"""The words between a worker and its handler processes: JSON objects with a length in front, never pickles."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import orjson

_LENGTH = struct.Struct("!I")

Message = dict[str, Any]
"""`op` says what it is. To the child: `run`, `abort`, `answer`, `exit`; from it: `call`, `log`, `done`, `raised`."""


def pack(message: Message) -> bytes:
    """Return the bytes of one message. Raises `TypeError` if it is not JSON."""
    body = orjson.dumps(message)
    return _LENGTH.pack(len(body)) + body


async def receive(reader: asyncio.StreamReader) -> Message | None:
    """Return the next message, or `None` once the other side is gone."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return orjson.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def receive_blocking(source: socket.socket) -> Message | None:
    """Block for the next message; `None` once the other side is gone."""
    head = _read_exactly(source, _LENGTH.size)
    body = None if head is None else _read_exactly(source, _LENGTH.unpack(head)[0])
    return None if body is None else orjson.loads(body)


def _read_exactly(source: socket.socket, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        try:
            part = source.recv(min(size, 1 << 20))
        except ConnectionError:
            return None
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
