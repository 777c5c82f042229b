"""Free loopback ports that stay ours while a server restarts."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"
LOWEST = 20_000


def free_port() -> int:
    """Return a loopback port that nothing uses, below those that the system hands to outgoing connections.

    A port from the outgoing range could be taken by a client that reconnects while its server restarts, even as the
    two ends of one connection with itself.
    """
    for port in random.sample(range(LOWEST, _first_outgoing_port()), k=200):
        if is_free(port):
            return port
    raise OSError(f"None of 200 tried loopback ports between {LOWEST} and {_first_outgoing_port()} is free.")


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _first_outgoing_port() -> int:
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except FileNotFoundError:
        lowest = 49_152  # IANA's first dynamic port, which macOS uses
    return lowest if lowest > LOWEST + 1_000 else 65_536
