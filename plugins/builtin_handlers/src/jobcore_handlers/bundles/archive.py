"""A ZIP archive, written piece by piece into a temporary file."""

from __future__ import annotations

import tempfile
import zipfile
from datetime import datetime
from shutil import copyfileobj
from types import TracebackType
from typing import BinaryIO, Self, cast

from jobcore_handlers.files.names import safe_name, unique_name

LEVEL = 9
_PIECE = 1 << 20
_READABLE_BY_OWNER = 0o600 << 16


class Archive:
    """Collects files under flat, safe names, no two the same. Its calls block; leaving the `with` discards the file.

    Args:
        moment: the time that every member carries, so that the same members make the same archive.
    """

    def __init__(self, moment: datetime) -> None:
        self._moment = moment
        self._file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by __exit__
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)
        self._taken: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()
        self._file.close()

    @property
    def count(self) -> int:
        """How many files it holds."""
        return len(self._taken)

    def add(self, name: str, source: BinaryIO) -> str:
        """Copy `source`, from its position to its end, into the archive; return the name that it got there."""
        member = unique_name(safe_name(name), self._taken)
        self._taken.add(member.lower())
        entry = zipfile.ZipInfo(member, date_time=self._moment.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = _READABLE_BY_OWNER
        # The level given to ZipFile counts for members opened by name only, and those cannot have a time.
        entry._compresslevel = LEVEL  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
        with self._zip.open(entry, "w") as target:
            copyfileobj(source, target, _PIECE)
        return member

    def finish(self) -> BinaryIO:
        """Write the directory and return a reader at the archive's start; nothing can be added after this."""
        self._zip.close()
        self._file.seek(0)
        return self._file
