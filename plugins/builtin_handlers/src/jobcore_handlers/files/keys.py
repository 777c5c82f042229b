"""The keys under which stores keep files: `<tenant>/<file id>/<name>`."""

from __future__ import annotations

import re
from uuid import UUID

from jobcore_handlers.errors import UnsafeFileKeyError
from jobcore_handlers.files.names import safe_name

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"({_UUID})/({_UUID})/([^/]+)")


def make_key(tenant: UUID, file_id: UUID, name: str) -> str:
    """Return the key of a tenant's file; `name` is a safe one."""
    return f"{tenant}/{file_id}/{name}"


def checked_key(key: str) -> str:
    """Return `key` if a store could have given it out. Raises `UnsafeFileKeyError`."""
    match = _KEY.fullmatch(key)
    if match is None or safe_name(match[3]) != match[3]:
        raise UnsafeFileKeyError(key)
    return key


def own_key(tenant: UUID, key: str) -> str:
    """Return `key` if it is that of a file of `tenant`.

    Use it for a key that a tenant may have written: stores know no tenants when they read.

    Raises:
        UnsafeFileKeyError: if it is another tenant's, or no key at all.
    """
    if not checked_key(key).startswith(f"{tenant}/"):
        raise UnsafeFileKeyError(key)
    return key
