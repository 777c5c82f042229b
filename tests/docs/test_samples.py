"""Every code sample on every page runs, and every link leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.samples import DATABASE, ROOT, TEMPORAL, Sample, pages, samples_of, wants

TESTS = Path(__file__).parents[1]
PAGES = pages()
SAMPLES = [sample for page in PAGES for sample in samples_of(page)]
RUN = {"python", "console", "sql", "toml", "json"}
NOT_RUN = {"text", "ini", "yaml"}
"""Pictures, and files of other programs."""
MOST_SKIPPED = 8

LINK = re.compile(r"\[[^\]\[]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def reader() -> Generator[Path]:
    """The folder in which somebody tries a page; a server that may not run as root can reach it."""
    with TemporaryDirectory(prefix="jobcore-page-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("page", [page for page in PAGES if any(samples_of(page))], ids=name_of)
def test_the_samples_of_a_page_run(page: Path, reader: Path, tmp_path: Path, request: pytest.FixtureRequest):
    environment = environment_of_a_reader()
    if wants(page, DATABASE):
        environment["DATABASE_URL"] = request.getfixturevalue("database_dsn")
    if wants(page, TEMPORAL):
        environment["TEMPORAL_ADDRESS"] = request.getfixturevalue("jobcore_temporal").address
    done = subprocess.run(
        [sys.executable, "-m", "support.sample_page", str(page), str(tmp_path)],
        cwd=reader,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_block_says_its_language_and_is_of_one_that_is_known():
    odd = [f"{sample.place}: {sample.language or 'none'}" for sample in SAMPLES if sample.language not in RUN | NOT_RUN]
    assert odd == []


def test_few_samples_are_skipped():
    skipped = [sample.place for sample in SAMPLES if sample.directive == "skip"]
    assert len(skipped) <= MOST_SKIPPED, skipped


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path):
    prose = FENCED.sub("", page.read_text(encoding="utf-8"))
    targets = [match["target"] for match in LINK.finditer(prose)]
    broken = [target for target in targets if not target.startswith("https://") and not leads_somewhere(page, target)]
    assert broken == []


def test_no_page_tells_to_install_the_name_that_is_somebody_elses():
    """A bare `pip install jobcore` would install another project."""
    bare = re.compile(r"pip install (?:-\S+ )*[\"']?jobcore(?![\w-])")
    assert [name_of(page) for page in PAGES if bare.search(page.read_text(encoding="utf-8"))] == []


def test_pages_are_reached_from_the_overview():
    overview = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    linked = {(ROOT / "docs" / match["target"]).resolve() for match in LINK.finditer(overview)}
    wanted = {
        page
        for folder in ("tutorials", "how-to", "reference", "explanation")
        for page in (ROOT / "docs" / folder).glob("*.md")
    }
    assert {name_of(page) for page in wanted - linked} == set()


def environment_of_a_reader() -> dict[str, str]:
    """Return variables in which the programs of this environment are found and jobcore is not configured."""
    ours = re.compile(r"JOBCORE_|JOB_RUNNER_|TEMPORAL_|DB_|DATABASE_URL$|EDITION$|PYTEST_|PGHOST|PGPASSWORD")
    kept = {name: value for name, value in os.environ.items() if not ours.match(name)}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return {**kept, "PATH": path, "PYTHONPATH": str(TESTS)}


def leads_somewhere(page: Path, target: str) -> bool:
    """Return whether a relative link names a file that is there, and a heading of it if it names one."""
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    if not file.exists() or not file.is_relative_to(ROOT):
        return False
    return not anchor or anchor in {
        slug(match["title"]) for match in HEADING.finditer(file.read_text(encoding="utf-8"))
    }


def slug(title: str) -> str:
    """Return a heading's anchor, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_the_runner_notices_a_sample_that_fails(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text("```python\nimport asyncio\nawait asyncio.sleep(0)\nassert 1 == 2\n```\n")
    [sample] = samples_of(page)
    assert sample == Sample(page, 2, "python", "import asyncio\nawait asyncio.sleep(0)\nassert 1 == 2")
    done = subprocess.run(
        [sys.executable, "-m", "support.sample_page", str(page), str(tmp_path)],
        cwd=tmp_path,
        env=environment_of_a_reader(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f'{page}", line 4' in done.stderr
