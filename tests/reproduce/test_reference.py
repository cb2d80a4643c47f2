from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from experiments.reproduce import reference

ROOT = Path(__file__).parents[2]


def test_every_folder_of_results_is_made_by_a_command():
    committed = {path.parent for path in (ROOT / reference.REFERENCE).rglob("*.csv")}
    made = [ROOT / reference.REFERENCE / entry.folder for entry in reference.EVERY]
    assert [folder for folder in committed if not any(folder.is_relative_to(known) for known in made)] == []


@pytest.mark.parametrize(
    ("text", "equal", "moved", "largest"),
    [
        ("name,energy_J\na,1.0\nb,2.0\n", True, None, None),
        ("name,energy_J\na,1.0\nb,2.5\n", False, 1, 0.2),
        ("name,energy_J\na,1.0\nc,2.0\n", False, 0, np.inf),
        ("name,energy_J\na,1.0\n", False, None, np.inf),
    ],
)
def test_what_moved_in_a_table(tmp_path: Path, text: str, equal: bool, moved: int | None, largest: float | None):
    (tmp_path / "committed.csv").write_text("name,energy_J\na,1.0\nb,2.0\n")
    (tmp_path / "made.csv").write_text(text)
    found = reference.difference(tmp_path / "committed.csv", tmp_path / "made.csv", "x.csv")
    assert (found.equal_bytes, found.moved) == (equal, moved)
    assert found.largest == (largest if largest is None else pytest.approx(largest))


def test_the_quickstart_is_compared_file_by_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    entry = reference.EVERY[0]
    shutil.copytree(ROOT / reference.REFERENCE / entry.folder, tmp_path / "made")
    (tmp_path / "made" / "front.png").unlink()
    found = {one.file: one.equal_bytes for one in reference.compared(entry, tmp_path / "made")}
    assert found.pop("quickstart/front.png") is False
    assert all(found.values())
    assert "quickstart/front.csv" in found
