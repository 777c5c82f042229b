"""The wheels of the checkout, built once, and an environment in which nothing of ours is editable."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.wheelhouse import Environment, build_wheels


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all wheels of the checkout."""
    folder = tmp_path_factory.mktemp("wheels")
    build_wheels(folder)
    return folder


@pytest.fixture(scope="session")
def installed(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with everything that the Community Edition has, installed from the wheels."""
    environment = Environment.create(tmp_path_factory.mktemp("environment") / "venv")
    environment.install("jobcore[handlers,dev]", wheels=wheelhouse)
    return environment
