"""The peer benchmark's own honesty: what it counts, and that jobcore's adapter runs."""

import json
import subprocess
import sys
from pathlib import Path

from bench.catalog import read_catalog
from bench.counting import count_runs
from bench.plot import draw
from bench.report import summarise
from bench.rounds import Results

ROOT = Path(__file__).parents[2]


def test_a_job_that_never_ran_is_found():
    count = count_runs([1, 0, 1])
    assert count.missing == (1,)
    assert not count.is_exact


def test_a_job_that_ran_twice_is_found():
    count = count_runs([1, 1, 2])
    assert count.doubled == (2,)
    assert not count.is_exact


def test_a_missing_and_a_doubled_job_do_not_cancel_each_other_out():
    count = count_runs([0, 2, 1])
    assert (count.missing, count.doubled) == ((0,), (1,))
    assert str(count) == "1 jobs (0) never ran; 1 jobs (1) ran more than once"


def test_every_peer_has_an_adapter_and_pinned_packages():
    for peer in read_catalog().values():
        assert peer.adapter_file.exists(), peer.name
        pinned = [package.lstrip("@").partition("@" if peer.is_node else "==")[2] for package in peer.packages]
        assert all(pinned), peer.name


def test_ratios_are_to_jobcore_and_spread_is_kept():
    results = Results(figures={"jobcore": {"drain_per_s": [10.0, 30.0, 20.0]}, "other": {"drain_per_s": [5.0]}})
    summary = summarise(results)
    assert summary["drain_per_s"]["jobcore"] == {"median": 20.0, "low": 10.0, "high": 30.0, "ratio": 1.0}
    assert summary["drain_per_s"]["other"]["ratio"] == 0.25
    assert draw(summary).startswith("<svg")


def test_jobcore_drains_200_jobs_each_once(tmp_path: Path):
    command = [sys.executable, "-m", "bench", "--peers", "jobcore", "--rounds", "1", "--jobs", "200"]
    done = subprocess.run(
        [*command, "--measures", "drain", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "benchmark.json").read_text())
    assert document["miscounts"] == document["failures"] == []
    assert document["summary"]["drain_per_s"]["jobcore"]["median"] > 0
    assert (tmp_path / "benchmark.svg").exists()


def test_a_hundred_clients_are_billed_and_the_totals_compared():
    command = [sys.executable, "-m", "bench.billing", "--clients", "100"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert "100 billed" in done.stdout
    assert "every total right" in done.stdout
