"""`python -m bench`: jobcore and its peers, side by side on a PostgreSQL of the harness's own."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.catalog import ALL_MEASURES, HERE, read_catalog
from bench.measures import FULL, SHORT, Size
from bench.plot import draw
from bench.report import as_document, as_table, summarise
from bench.rounds import Results, run_rounds
from jobcore_devkit.postgres import PostgresServer


def main() -> int:
    """Measure, print the table, write `benchmark.json` and `benchmark.svg`; 1 if a peer failed or miscounted."""
    arguments = _parse()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    catalog = read_catalog()
    with PostgresServer.temporary(durable=True) as server:
        about = _about(server, arguments)
        results = run_rounds(
            server,
            [catalog[name] for name in arguments.peers or catalog],
            arguments.measures or ALL_MEASURES,
            _size(arguments),
            arguments.rounds,
            out,
            lambda line: print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True),
            lambda results: _write(results, about, out),
        )
    print(as_table(summarise(results), results))
    print(f"\n{about}\nwritten: {out}/benchmark.json and {out}/benchmark.svg")
    return 1 if results.failures or results.miscounts else 0


def _parse() -> argparse.Namespace:
    catalog = read_catalog()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--peers", nargs="+", choices=list(catalog), help="only these; by default all")
    parser.add_argument("--measures", nargs="+", choices=ALL_MEASURES, help="only these; by default all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--full", action="store_true", help="longer, with 100,000 jobs for memory and 500,000 waiting")
    parser.add_argument("--jobs", type=int, help="how many are drained, in place of 20,000")
    parser.add_argument("--note", default="", help="kept in the JSON: what else the machine did")
    parser.add_argument("--out", type=Path, default=HERE / ".results", help="folder for figures, picture and logs")
    return parser.parse_args()


def _size(arguments: argparse.Namespace) -> Size:
    size = FULL if arguments.full else SHORT
    if arguments.jobs:
        jobs: int = arguments.jobs
        size = replace(size, drain=jobs, enqueue=min(size.enqueue, jobs))
    return size


def _about(server: PostgresServer, arguments: argparse.Namespace) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "postgresql": server.version,
        "python": platform.python_version(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_at_start": round(os.getloadavg()[0], 1),
        "rounds": arguments.rounds,
        "full": arguments.full,
        "note": arguments.note,
    }


def _write(results: Results, about: dict[str, object], out: Path) -> None:
    summary = summarise(results)
    document = as_document(summary, results, about)
    (out / "benchmark.json").write_text(json.dumps(document, indent=1) + "\n")
    (out / "benchmark.svg").write_text(draw(summary))


if __name__ == "__main__":
    sys.exit(main())
