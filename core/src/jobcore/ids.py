"""Job ids: UUID version 7, so that ids sort by the time they were made and an index grows at one end."""

from __future__ import annotations

import os
import time
from functools import lru_cache
from uuid import UUID

from jobcore.errors import InvalidTenantError

SYSTEM_TENANT = UUID(int=0)
"""The tenant of jobs that belong to no customer; written `'system'` in payloads."""

NO_USER = UUID(int=0)
"""The user of jobs that no person asked for."""


def uuid7() -> UUID:
    """Return a new UUID version 7: 48 bits of Unix time in milliseconds, then random bits (RFC 9562, section 5.7)."""
    random = _random_80_bits()
    milliseconds = time.time_ns() // 1_000_000
    high = milliseconds << 16 | 0x7000 | random >> 68
    low = 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=high << 64 | low)


_spare: list[bytes] = []
"""Random bytes that nobody has used: the system is asked for many at a time, which costs a call each."""
if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_spare.clear)


def _random_80_bits() -> int:
    while True:
        try:
            return int.from_bytes(_spare.pop())
        except IndexError:
            block = os.urandom(10 * 64)
            _spare.extend(block[start : start + 10] for start in range(0, len(block), 10))


_uuid_of = lru_cache(maxsize=4096)(UUID)
"""The same few tenants are named again and again."""


def parse_tenant(value: object) -> UUID:
    """Return the tenant that `value` names: a UUID, its text, or `'system'`.

    Raises:
        InvalidTenantError: for anything else.
    """
    if isinstance(value, UUID):
        return value
    if value == "system":
        return SYSTEM_TENANT
    if isinstance(value, str):
        try:
            return _uuid_of(value)
        except ValueError:
            pass
    raise InvalidTenantError(f"A tenant id is a UUID or 'system', not {str(value)[:60]!r}.")
