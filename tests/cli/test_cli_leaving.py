"""A library that does not survive the interpreter's end neither spoils the exit code nor loses what was printed."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
from jobcore.cli.leaving import end_abruptly, run_to_the_end

import os

class Crashes:
    def __del__(self, abort=os.abort):
        abort()

keeps = Crashes()  # is taken apart after the exit handlers
atexit.register(lambda: print("exit handlers ran"))
if {abruptly}:
    end_abruptly("a test")

def program():
    print("worked")
    {ending}

run_to_the_end(program)
"""


@pytest.mark.parametrize(
    ("ending", "code"),
    [("raise SystemExit(3)", 3), ("raise SystemExit", 0), ("pass", 0), ("raise SystemExit('no')", 1)],
    ids=["code", "no-code", "returns", "text"],
)
def test_it_leaves_with_its_exit_code(ending: str, code: int) -> None:
    ended = run(abruptly=True, ending=ending)
    assert (ended.returncode, ended.stdout.splitlines()) == (code, ["worked", "exit handlers ran"])
    assert ended.stderr == ("no\n" if code == 1 else "")


def test_without_a_reason_python_ends_as_ever() -> None:
    assert run(abruptly=False, ending="raise SystemExit(3)").returncode < 0  # the crash, for this one does crash


def run(*, abruptly: bool, ending: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(abruptly=abruptly, ending=ending)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
