"""Connection URLs as libpq reads them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from jobcore_devkit._ports import LOOPBACK


def build_dsn(host: Path | None, port: int, database: str, user: str, password: str | None) -> str:
    """Write a libpq URL for a socket's folder, or for loopback TCP if `host` is None. Names and password are quoted."""
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
    if host is None:
        return f"postgresql://{login}@{LOOPBACK}:{port}/{quote(database, safe='')}"
    return f"postgresql://{login}@/{quote(database, safe='')}?host={quote(str(host), safe='')}&port={port}"
