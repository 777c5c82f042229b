"""The peers that `peers.toml` names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ALL_MEASURES = ("latency", "enqueue", "drain", "many_queues", "memory", "backlog")


@dataclass(frozen=True)
class Peer:
    """One contender.

    `packages` is empty for jobcore, which runs in the harness's own environment; `jobs_share` is the part of the jobs
    that a peer too slow for all of them drains; `python` is the lowest version that it supports.
    """

    name: str
    adapter: str
    keeps: str
    packages: tuple[str, ...] = ()
    python: str = ""
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    unfinished: str = ""
    measures: tuple[str, ...] = ALL_MEASURES
    jobs_share: float = 1.0

    @property
    def is_node(self) -> bool:
        return self.adapter.endswith(".mjs")

    @property
    def adapter_file(self) -> Path:
        return HERE / "peers" / self.adapter

    @property
    def folder(self) -> Path:
        """Where its packages are installed."""
        return HERE / ".peers" / self.name


def read_catalog() -> dict[str, Peer]:
    """Read every peer, by name, in the order of the file."""
    entries = tomllib.loads((HERE / "peers.toml").read_text(encoding="utf-8"))
    return {name: _peer(name, entry) for name, entry in entries.items()}


def _peer(name: str, entry: dict[str, Any]) -> Peer:
    lists = {key: tuple(entry[key]) for key in ("packages", "measures") if key in entry}
    return Peer(name=name, **{**entry, **lists})
