"""What keeps the tree readable: small files, and reproductions that the package does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE = 400
SOURCES = sorted(path for room in ("imcevo", "experiments", "tests") for path in (ROOT / room).rglob("*.py"))


def test_no_file_is_too_long_to_read():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("room", ["experiments", "tests"])
def test_the_package_needs_nothing_that_is_not_installed(room: str):
    needing = [str(path) for path in (ROOT / "imcevo").rglob("*.py") if f"from {room}" in path.read_text("utf-8")]
    assert needing == []
