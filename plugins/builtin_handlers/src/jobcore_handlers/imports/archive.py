"""What a workbook's archive must be before its parts are read: small when it is unpacked, flat, and plain XML.

What the archive says of itself is not believed: each member is unpacked in pieces, which are counted and thrown away.
"""

from __future__ import annotations

import stat
import struct
import zlib
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from jobcore_handlers.imports.errors import FileRefusedError
from jobcore_handlers.imports.limits import MIB, ImportLimits
from jobcore_handlers.imports.plain_xml import PlainXml

MEMBERS = 1000
_PIECE = 1 << 16
_ALWAYS_ALLOWED = MIB
"""Bytes to which a member may inflate by whatever ratio: that of small files means nothing."""
_DIRECTORY_BYTES = MIB
_END = b"PK\x05\x06"
_END_OF_ZIP64 = b"PK\x06\x07"
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")


def vet_archive(file: BinaryIO, limits: ImportLimits) -> None:
    """Unpack every member of an archive to nowhere. Blocks; memory stays flat.

    Raises:
        FileRefusedError: if the archive is damaged, or would unpack to too much, or holds what no workbook needs.
    """
    _refuse_long_directory(file)
    try:
        with ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise FileRefusedError(f"The workbook has {len(members)} members; up to {MEMBERS} are read.")
            left = limits.inflated_bytes
            for member in members:
                left -= _vet(archive, member, left, limits)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error) as error:
        raise FileRefusedError(f"The workbook's archive is damaged: {error}.") from error


def _refuse_long_directory(file: BinaryIO) -> None:
    """Refuse a directory that would fill the memory by itself: ZipFile reads all of it, before anything else."""
    size = file.seek(0, 2)
    file.seek(max(0, size - (1 << 16) - 128))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise FileRefusedError("The workbook's archive is damaged: it has no end.")
    (directory,) = struct.unpack_from("<L", tail, at + 12)
    if directory > _DIRECTORY_BYTES or _END_OF_ZIP64 in tail[:at]:
        raise FileRefusedError("The workbook's archive has a directory for far more members than workbooks have.")


def _vet(archive: ZipFile, member: ZipInfo, left: int, limits: ImportLimits) -> int:
    _refuse_odd(member)
    size = 0
    xml: PlainXml | None = None
    with archive.open(member) as unpacked:
        while piece := unpacked.read(_PIECE):
            if not size:
                xml = _begin(member, piece, limits)
            size += len(piece)
            _refuse_bomb(member, size, left, limits)
            if xml is not None:
                xml.feed(piece)
    if xml is not None:
        xml.feed(b"")
    return size


def _begin(member: ZipInfo, start: bytes, limits: ImportLimits) -> PlainXml | None:
    if start.startswith(_ARCHIVES):
        raise FileRefusedError("The workbook holds another archive; remove embedded files, then import it.")
    # Any name may be that of the sheet, so what could be XML by its beginning is taken for it.
    is_xml = member.filename.endswith((".xml", ".rels", ".vml")) or start.lstrip(_BEFORE_XML)[:1] in (b"<", b"")
    return PlainXml(limits.xml_tags) if is_xml else None


def _refuse_odd(member: ZipInfo) -> None:
    parts = member.filename.replace("\\", "/").split("/")
    if member.flag_bits & 1:
        raise FileRefusedError("The workbook is encrypted. Save it without a password, then import it again.")
    if ".." in parts or parts[0] == "" or ":" in parts[0] or stat.S_ISLNK(member.external_attr >> 16):
        raise FileRefusedError("The workbook's archive has a member whose name leads out of it.")


def _refuse_bomb(member: ZipInfo, size: int, left: int, limits: ImportLimits) -> None:
    if size > left:
        raise FileRefusedError(f"The workbook unpacks to more than {limits.inflated_bytes} bytes. Split it.")
    if size > _ALWAYS_ALLOWED and size > member.compress_size * limits.inflation:
        raise FileRefusedError(
            f"A member of the workbook grows more than {limits.inflation} times when it is unpacked, as no table does."
        )
