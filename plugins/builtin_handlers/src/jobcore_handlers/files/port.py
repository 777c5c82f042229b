"""The file store port. Bytes live here; who may see them, and under which name, is the database's business."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as it was stored. `key` is what the store wants to hear to give it back."""

    file_id: UUID
    key: str
    name: str
    """As given out: sanitised."""
    size: int
    """Bytes."""
    sha256: str
    """Of the content, in hexadecimal digits."""


class FileStore(ABC):
    """Keeps files, each tenant's apart. Register one with the application's services, as `FileStore`."""

    @abstractmethod
    async def put(
        self, tenant: UUID, name: str, content: bytes | BinaryIO, *, file_id: UUID | None = None
    ) -> StoredFile:
        """Store `content`, in full or not at all, and return where it is.

        A reader is read from its position to its end, in pieces. With a `file_id` that is in use the file is replaced;
        so a job that computes its file ids stores once however often it is tried.

        Raises:
            FileStoreError: if it cannot be stored.
        """

    @abstractmethod
    async def open(self, key: str) -> BinaryIO:
        """Return a reader of the file, which goes forward and may not seek; the caller closes it. Reading blocks.

        Raises:
            StoredFileMissingError: if there is none.
            UnsafeFileKeyError: if `key` is not one that this store gives out.
        """

    @abstractmethod
    async def delete(self, key: str) -> bool:
        """Remove the file; return whether there was one. Raises `UnsafeFileKeyError`."""

    @abstractmethod
    async def exists(self, key: str) -> bool:
        """Whether there is such a file. Raises `UnsafeFileKeyError`."""
