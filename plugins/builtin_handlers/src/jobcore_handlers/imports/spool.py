"""A stored file as one on this machine, which can be read from its beginning again."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import BinaryIO, cast

from jobcore_handlers.files.port import FileStore
from jobcore_handlers.imports.errors import FileRefusedError
from jobcore_handlers.imports.run import ImportFile

_PIECE = 1 << 20


@asynccontextmanager
async def spooled(store: FileStore, file: ImportFile, limit: int) -> AsyncGenerator[BinaryIO]:
    """Copy a file out of the store into a temporary one, which is gone afterwards. Does not block the event loop.

    Raises:
        FileRefusedError: if it has more than `limit` bytes: before it is read if its row says so, else after so many.
        FileStoreError: if it cannot be read.
    """
    if file.size > limit:
        raise FileRefusedError(f"The file has {file.size} bytes; up to {limit} are read. Split it.")
    with tempfile.TemporaryFile() as spool:
        target = cast("BinaryIO", spool)
        with await store.open(file.storage_key) as source:
            await asyncio.to_thread(_copy, source, target, limit)
        yield target


def _copy(source: BinaryIO, target: BinaryIO, limit: int) -> None:
    left = limit
    while piece := source.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise FileRefusedError(f"The file has more than {limit} bytes, which its record does not say. Split it.")
        target.write(piece)
