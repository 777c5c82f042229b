"""Runs the peers in rounds: each measure of each peer on a database of its own, the order turned round every time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from bench.catalog import Peer
from bench.installation import CannotInstallError, host_command
from bench.link import PeerFailedError
from bench.measures import Bench, Figures, MiscountError, Size
from jobcore_devkit.postgres import PostgresServer


@dataclass
class Results:
    """Each figure of each peer, once for each round; why a peer has none; and every miscount."""

    figures: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    failures: list[str] = field(default_factory=list[str])
    miscounts: list[str] = field(default_factory=list[str])

    def add(self, peer: Peer, figures: Figures) -> None:
        for name, value in figures.items():
            self.figures.setdefault(peer.name, {}).setdefault(name, []).append(value)


def run_rounds(
    server: PostgresServer,
    peers: Iterable[Peer],
    measures: Iterable[str],
    size: Size,
    rounds: int,
    logs: Path,
    say: Callable[[str], None],
    keep: Callable[[Results], None],
) -> Results:
    """Measure, and go on with the next when a peer fails. Blocks for minutes to hours.

    `keep` gets what there is after every measure, so that a run that is broken off leaves its figures.
    """
    results = Results()
    contenders = _installed(peers, results, say)
    wanted = list(measures)
    for turn in range(rounds):
        for measure in wanted:
            for peer in contenders if turn % 2 == 0 else reversed(contenders):
                if measure in peer.measures:
                    say(f"round {turn + 1} of {rounds}: {measure:12} {peer.name}")
                    _take(server, peer, measure, size, logs, results, say)
                    keep(results)
    return results


def _installed(peers: Iterable[Peer], results: Results, say: Callable[[str], None]) -> list[Peer]:
    contenders: list[Peer] = []
    for peer in peers:
        try:
            host_command(peer)
        except CannotInstallError as error:
            results.left_out[peer.name] = str(error)
            say(f"left out: {error}")
        else:
            contenders.append(peer)
    return contenders


def _take(
    server: PostgresServer,
    peer: Peer,
    measure: str,
    size: Size,
    logs: Path,
    results: Results,
    say: Callable[[str], None],
) -> None:
    _recreate(server)
    bench = Bench(peer, server.dsn("bench", tcp=True), size, logs / f"{peer.name}.log")
    try:
        results.add(peer, bench.measure(measure))
    except MiscountError as error:
        results.miscounts.append(f"{measure}: {error}")
        say(str(error))
    except PeerFailedError as error:
        results.failures.append(f"{measure}: {error}")
        say(str(error))


def _recreate(server: PostgresServer) -> None:
    name = sql.Identifier("bench")
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(name))
        connection.execute(sql.SQL("create database {}").format(name))
        connection.execute("checkpoint")
