"""A file store in a folder: `<root>/<tenant>/<file id>/<name>`.

A file is written beside its place, flushed to disk, and renamed into it, so that a reader sees all of it or nothing. A
file id's folder holds one file; a new one under another name replaces the old.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO
from uuid import UUID

from jobcore.ids import uuid7
from jobcore_handlers.errors import FileStoreError, StoredFileMissingError, UnsafeFileKeyError
from jobcore_handlers.files.keys import checked_key, make_key
from jobcore_handlers.files.measuring import MeasuringReader
from jobcore_handlers.files.names import safe_name
from jobcore_handlers.files.port import FileStore, StoredFile

_PIECE = 1 << 20
_INCOMING = ".incoming"
_ABANDONED_AFTER = 24 * 3600
"""Seconds."""


class DirectoryFileStore(FileStore):
    """Files in a folder of this machine. Disk work happens in threads; no call blocks the event loop.

    Args:
        root: the folder; made, with its parents, when the first file is stored. Only its owner may read it.
    """

    def __init__(self, root: Path | str) -> None:
        self._root = Path(root)
        self._swept = False

    def path_of(self, key: str) -> Path:
        """Return where the file of `key` stands on disk. Raises `UnsafeFileKeyError`."""
        path = self._root / checked_key(key)
        # A symbolic link planted inside the store must not lead out of it.
        if path.is_symlink() or not path.resolve().is_relative_to(self._root.resolve()):
            raise UnsafeFileKeyError(key)
        return path

    async def put(
        self, tenant: UUID, name: str, content: bytes | BinaryIO, *, file_id: UUID | None = None
    ) -> StoredFile:
        source = io.BytesIO(content) if isinstance(content, bytes) else content
        return await asyncio.to_thread(self._put, tenant, file_id or uuid7(), safe_name(name), source)

    async def open(self, key: str) -> BinaryIO:
        return await asyncio.to_thread(self._open, key)

    async def delete(self, key: str) -> bool:
        return await asyncio.to_thread(self._delete, key)

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(lambda: self.path_of(key).is_file())

    def _put(self, tenant: UUID, file_id: UUID, name: str, source: BinaryIO) -> StoredFile:
        key = make_key(tenant, file_id, name)
        path = self.path_of(key)
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            size, digest = self._write(path, source)
            _remove_others(path)
        except OSError as error:
            raise FileStoreError(
                f"File {name!r} cannot be stored in {self._root}: {error.strerror or error}."
            ) from error
        return StoredFile(file_id=file_id, key=key, name=name, size=size, sha256=digest)

    def _write(self, path: Path, source: BinaryIO) -> tuple[int, str]:
        handle, temporary = tempfile.mkstemp(dir=self._incoming())
        try:
            with open(handle, "wb") as target:  # noqa: PTH123 - opens the descriptor that mkstemp made
                size, digest = _copy(source, target)
                target.flush()
                os.fsync(target.fileno())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parents[1], self._root):
            _sync_folder(folder)
        return size, digest

    def _incoming(self) -> Path:
        folder = self._root / _INCOMING
        folder.mkdir(mode=0o700, exist_ok=True)
        if not self._swept:
            _remove_abandoned(folder)
            self._swept = True
        return folder

    def _open(self, key: str) -> BinaryIO:
        try:
            return self.path_of(key).open("rb")
        except FileNotFoundError:
            raise StoredFileMissingError(key) from None

    def _delete(self, key: str) -> bool:
        path = self.path_of(key)
        if not path.is_file():
            return False
        shutil.rmtree(path.parent)
        return True


def _copy(source: BinaryIO, target: BinaryIO) -> tuple[int, str]:
    measured = MeasuringReader(source)
    copyfileobj(measured, target, _PIECE)
    return measured.size, measured.sha256


def _remove_others(path: Path) -> None:
    for other in path.parent.iterdir():
        if other != path:
            other.unlink(missing_ok=True)


def _remove_abandoned(folder: Path) -> None:
    """Remove what workers that were killed left half written."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another worker renames its file into place
            if time.time() - path.stat().st_mtime > _ABANDONED_AFTER:
                path.unlink()


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
