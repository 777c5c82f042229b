"""Tables, documents and log lines."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest

from jobcore.cli import output
from jobcore.cli.log_lines import JsonLines, TextLines

ROWS = [("a", None, True), ("[b]bold[/b]", datetime(2026, 5, 1, 9, tzinfo=UTC), timedelta(hours=3))]


def test_a_table_is_plain_columns_where_nobody_looks(capsys):
    output.show_table(("name", "at", "for"), ROWS, empty="none")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "at", "for"]
    assert first.split() == ["a", "yes"]
    assert second == "[b]bold[/b]  2026-05-01 09:00:00Z  3 hours"


def test_a_table_on_a_terminal_is_drawn_and_reads_no_markup(terminal):
    screen = terminal("stdout")
    output.show_table(("name", "at", "for"), ROWS, empty="none")
    drawn = screen.getvalue()
    assert "[b]bold[/b]" in drawn
    assert "2026-05-01 09:00:00Z" in drawn
    assert "───" in drawn


def test_an_empty_table_says_so(capsys):
    output.show_table(("name",), [], empty="There is nothing.")
    assert capsys.readouterr().out == "There is nothing.\n"


@pytest.mark.parametrize("stream", ["terminal", "pipe"])
def test_text_of_jobs_cannot_take_over_the_terminal(capsys, terminal, stream):
    screen = terminal("stdout") if stream == "terminal" else None
    output.show_table(("error",), [["\x1b]0;owned\x07\u202egnp.exe"]], empty="")
    shown = capsys.readouterr().out if screen is None else screen.getvalue()
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
