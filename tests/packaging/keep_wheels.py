"""Builds the wheels of this version into `tests/fixtures/wheels/VERSION/`, where later versions test against them.

Run it once a version, with `make keep-wheels`, from a clean checkout. The same sources give the same bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
EPOCH = 1_767_225_600
"""2026-01-01, in seconds since 1970: the time of every file in the wheels, so that only their content tells."""


def main() -> None:
    """Build the wheels, and name them."""
    sys.path.insert(0, str(TESTS))
    import jobcore
    from support.wheelhouse import build_wheels

    folder = TESTS / "fixtures" / "wheels" / jobcore.__version__
    if folder.exists():
        sys.exit(f"{folder} is there already; what was released does not change. Remove it if it was not released.")
    for wheel in build_wheels(folder, epoch=EPOCH):
        print(wheel.relative_to(TESTS.parent))


if __name__ == "__main__":
    main()
