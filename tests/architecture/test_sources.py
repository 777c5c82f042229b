"""Habits of the house that a machine can check: sizes, SQL, versions, and what an import costs."""

import ast
import json
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("core/src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
PROJECTS = [ROOT / "pyproject.toml", ROOT / "core/pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_files_stay_small() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): lines(path) for path in SOURCES if lines(path)}
    assert statistics.median(sizes.values()) <= 120
    assert sorted(sizes.values())[len(sizes) * 9 // 10] <= 300
    assert not {path: size for path, size in sizes.items() if size > 450}


def test_sql_is_never_built_with_strings() -> None:
    """A statement is a constant, a file, or composed by `psycopg.sql`: nothing that a caller said becomes SQL."""
    breaches = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"execute", "executemany"}
        and node.args
        and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not breaches, "\n".join(breaches)


def test_nothing_is_swallowed() -> None:
    breaches = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler):
                silent = all(isinstance(item, ast.Pass | ast.Continue) for item in node.body)
                caught = ast.unparse(node.type) if node.type else "everything"
                if silent and caught in {"everything", "Exception", "BaseException"}:
                    breaches.append(f"{path.relative_to(ROOT)}:{node.lineno} swallows {caught}")
    assert not breaches, "\n".join(breaches)


def test_all_distributions_carry_one_version() -> None:
    projects = {path: tomllib.loads(path.read_text())["project"] for path in PROJECTS}
    versions = {project["version"] for project in projects.values()}
    assert len(versions) == 1
    (version,) = versions
    ours = {project["name"] for project in projects.values()}
    for path, project in projects.items():
        extras = project.get("optional-dependencies", {}).values()
        for requirement in [*project["dependencies"], *(item for extra in extras for item in extra)]:
            name = requirement.split("==")[0]
            if name in ours or name.startswith("jobcore"):
                assert requirement == f"{name}=={version}", f"{path}: {requirement}"


def test_nothing_but_the_temporal_runner_asks_for_temporal() -> None:
    for path in PROJECTS:
        project = tomllib.loads(path.read_text())["project"]
        asked = [line for line in project["dependencies"] if line.startswith("temporal")]
        assert not asked or project["name"] == "jobcore-temporal-runner", f"{path}: {asked}"


def test_every_distribution_is_typed() -> None:
    for package in [ROOT / "core/src/jobcore", *ROOT.glob("plugins/*/src/*")]:
        assert (package / "py.typed").exists(), package


def test_importing_jobcore_loads_nothing_heavy() -> None:
    code = "import sys, json, jobcore; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", code])))
    heavy = {"asyncio", "psycopg", "temporalio", "fastapi", "typer", "pydantic_settings", "jobcore.app"}
    assert not heavy & loaded
