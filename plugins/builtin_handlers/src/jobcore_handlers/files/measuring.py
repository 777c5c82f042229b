"""Size and digest of a file, taken while it is copied."""

from __future__ import annotations

import hashlib
from typing import BinaryIO


class MeasuringReader:
    """Reads on from where `source` stands, and knows how much that was. It cannot seek."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._digest = hashlib.sha256()
        self.size = 0
        """Bytes read so far."""

    @property
    def sha256(self) -> str:
        """Of what was read so far, in hexadecimal digits."""
        return self._digest.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._source.read(size)
        self._digest.update(piece)
        self.size += len(piece)
        return piece
