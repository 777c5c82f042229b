"""Tables, documents and log lines."""

import json
import logging
import sys
from datetime import UTC, datetime, timedelta

import pytest

from jobcore.cli import output
from jobcore.cli.log_lines import JsonLines, TextLines


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")


ROWS = [("a", None, True), ("[b]bold[/b]", datetime(2026, 5, 1, 9, tzinfo=UTC), timedelta(hours=3))]


def test_a_table_is_plain_columns_where_nobody_looks(capsys):
    output.show_table(("name", "at", "for"), ROWS, empty="none")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "at", "for"]
    assert first.split() == ["a", "yes"]
    assert second == "[b]bold[/b]  2026-05-01 09:00:00Z  3:00:00"


def test_a_table_on_a_terminal_shows_the_same_and_reads_no_markup(capsys, terminal):
    output.show_table(("name", "at", "for"), ROWS, empty="none")
    drawn = capsys.readouterr().out
    assert "[b]bold[/b]" in drawn
    assert "2026-05-01 09:00:00Z" in drawn


def test_an_empty_table_says_so(capsys):
    output.show_table(("name",), [], empty="There is nothing.")
    assert capsys.readouterr().out == "There is nothing.\n"


@pytest.mark.parametrize("on_terminal", [False, True])
def test_text_of_jobs_cannot_take_over_the_terminal(capsys, monkeypatch, on_terminal):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: on_terminal)
    output.show_table(("error",), [["\x1b]0;owned\x07\u202egnp.exe"]], empty="")
    shown = capsys.readouterr().out
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "owned" in shown


def test_fields_without_a_value_are_left_out_and_long_texts_stay_aligned(capsys):
    output.show_fields([("a", "one\ntwo"), ("longer", 3), ("none", None)])
    assert capsys.readouterr().out == "a       one\n        two\nlonger  3\n"


def record(**extra):
    made = logging.LogRecord("jobcore.execution", logging.INFO, __file__, 1, "Job completed %s", ("well",), None)
    vars(made).update(extra)
    return made


def test_a_json_log_line_carries_what_it_is_about():
    line = json.loads(JsonLines().format(record(job="say-hello", jobId="1", durationMs=2.5)))
    assert (line["job"], line["jobId"], line["level"], line["msg"]) == ("say-hello", "1", "info", "Job completed well")
    assert line["time"].endswith("Z")


def test_a_text_log_line_names_the_job():
    line = TextLines().format(record(scope="[worker][say-hello:1]"))
    assert line.endswith("INFO jobcore.execution: [worker][say-hello:1] Job completed well")
