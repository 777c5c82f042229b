"""Runs the samples of one page in the current folder, in their order, as a reader would.

`python -m support.sample_page PAGE SCRATCH`, where SCRATCH is a folder for what the reader does not see. Python blocks
share one module and one event loop; what a command exports is there for all that follows.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

from support.samples import Sample, commands_of, samples_of

PATIENCE = 60.0
"""Seconds for one command, or for a background command to say what it is waited for."""
COMMAND = 'set -aeo pipefail\n{}\n{{ set +x; env -0 > "$SAMPLE_ENVIRONMENT"; }}'


class SampleError(AssertionError):
    """A sample does not do what its page says."""


class Page:
    """A reader who tries one page."""

    def __init__(self, scratch: Path) -> None:
        self.module = ModuleType("page")
        sys.modules["page"] = self.module
        self.environment_file = scratch / "environment"
        self.background: list[tuple[subprocess.Popen[bytes], Path]] = []
        self.scratch = scratch

    def read(self, page: Path) -> None:
        """Try all samples; stop at the first that fails."""
        try:
            with asyncio.Runner() as runner:
                for sample in samples_of(page):
                    if sample.directive != "skip":
                        self.try_out(sample, runner)
        finally:
            self.stop_background()

    def try_out(self, sample: Sample, runner: asyncio.Runner) -> None:
        """Run, write or check one block."""
        if sample.directive == "file":
            path = Path(sample.value)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sample.code + "\n", encoding="utf-8")
        match sample.language:
            case "python" if sample.directive == "file":
                compile(sample.code, sample.value, "exec")
            case "python":
                self.run_python(sample, runner)
            case "console":
                self.run_console(sample)
            case "sql" if sample.directive == "file":
                pass  # whoever reads the file runs it
            case "sql":
                run_sql(sample)
            case "toml":
                check_toml(sample)
            case "json":
                json.loads(sample.code)
            case _:
                pass  # a picture, or another program's file; a test says which languages there are

    # -- python --------------------------------------------------------------------------------------------------------

    def run_python(self, sample: Sample, runner: asyncio.Runner) -> None:
        """Run a block; one with a top-level `await` runs on the page's event loop. A lone signature is only parsed."""
        if re.fullmatch(r"(async )?def [^\n]+[^:\n]", sample.code):
            ast.parse(sample.code + ": ...")
            return
        shifted = "\n" * (sample.line - 1) + sample.code  # so that a traceback names the page's own lines
        code = compile(shifted, str(sample.page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        result = eval(code, vars(self.module))
        if code.co_flags & inspect.CO_COROUTINE:
            runner.run(result)

    # -- console -------------------------------------------------------------------------------------------------------

    def run_console(self, sample: Sample) -> None:
        """Run each command with bash, and compare what it prints where the page says it."""
        for command in commands_of(sample):
            if sample.directive == "background":
                self.start(command.text, sample)
                continue
            done = subprocess.run(
                ["bash", "-c", COMMAND.format(command.text)],
                env={**os.environ, "SAMPLE_ENVIRONMENT": str(self.environment_file)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
            printed = done.stdout.decode()
            if done.returncode:
                raise SampleError(f"{sample.place}: $ {command.text}\nexited with {done.returncode}:\n{printed}")
            compare(sample, command.text, command.expected, printed)
            self.take_environment()

    def take_environment(self) -> None:
        """Go on in the folder and with the variables that the last command left."""
        lines = self.environment_file.read_bytes().decode().split("\0")
        fresh = dict(line.split("=", 1) for line in lines if "=" in line)
        fresh.pop("SAMPLE_ENVIRONMENT", None)
        os.environ.clear()
        os.environ.update(fresh)
        os.chdir(fresh["PWD"])

    def start(self, command: str, sample: Sample) -> None:
        """Start a command that goes on, and wait until it has said the text of its comment."""
        log = self.scratch / f"background-{len(self.background)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec env {command}" if "=" in command.split()[0] else f"exec {command}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.background.append((process, log))
        deadline = time.monotonic() + PATIENCE
        while sample.value not in log.read_text(errors="replace"):
            if process.poll() is not None or time.monotonic() > deadline:
                state = "still runs" if process.poll() is None else f"exited with {process.returncode}"
                raise SampleError(
                    f"{sample.place}: $ {command}\n{state} and did not say {sample.value!r}:\n{log.read_text()}"
                )
            time.sleep(0.02)

    def stop_background(self) -> None:
        """End what still runs, the last first, as Ctrl-C would."""
        for process, log in reversed(self.background):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise SampleError(f"A background command did not end:\n{log.read_text()}") from None


def compare(sample: Sample, command: str, expected: str, printed: str) -> None:
    """Compare as doctest does: `...` stands for anything, and runs of blanks are one."""
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    if expected and not doctest.OutputChecker().check_output(expected + "\n", printed, options):
        raise SampleError(f"{sample.place}: $ {command}\nshould print\n{expected}\nand printed\n{printed}")


def run_sql(sample: Sample) -> None:
    """Run the statements of a block in one transaction, which commits."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute(sample.code.encode())


def check_toml(sample: Sample) -> None:
    """Parse a block; what jobcore reads is checked as jobcore checks it."""
    from jobcore.plugins.manifest import parse_manifest

    document = tomllib.loads(sample.code)
    if "api" in document:
        parse_manifest(sample.code, source=sample.place)
    if sample.value == "jobcore.toml":
        check_settings(document)
    elif "jobcore" in document.get("tool", {}):
        check_settings(document["tool"]["jobcore"])


def check_settings(values: dict[str, object]) -> None:
    """Check settings, and the sections of the plugins that are installed against their models."""
    from jobcore.plugins.examine import examine
    from jobcore.plugins.scan import scan
    from jobcore.settings import Settings

    settings = Settings.load(env={}, folder=Path(__file__).parent, **values)
    for plugin in scan():
        manifest = examine(plugin, settings).manifest
        if manifest is not None and manifest.settings:
            settings.section(plugin.name, resolve_name(manifest.settings))


def main() -> None:
    """Run the page that the command line names; the current folder is the reader's."""
    page, scratch = Path(sys.argv[1]), Path(sys.argv[2])
    os.environ.pop("PYTHONPATH", None)
    sys.path.insert(0, str(Path.cwd()))
    try:
        Page(scratch).read(page)
    except SampleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
