"""The chips that the newer bit cells are held against, and the figures that the documentation states."""

from __future__ import annotations

from pathlib import Path

import pytest

from imcevo.validate.silicon.chips import chip_technology, load_chips, shipped_folder
from imcevo.validate.silicon.model import predict

FOLDER = shipped_folder().parent / "cell_chips"
GUIDE = Path(__file__).parents[3] / "docs" / "reference" / "cells.md"


def documented() -> list[tuple[str, str, float, float]]:
    """Chip, cell, measured figure and ratio of the documentation's table."""
    lines = GUIDE.read_text(encoding="utf-8").split("| model / measured |\n")[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        chip, cell, _, measured, ratio = (text.strip() for text in line.strip("|").split("|"))
        figure = float(measured.split()[0].replace(",", ""))
        rows.append((chip.split(",")[0], cell.strip("`"), figure, float(ratio)))
    return rows


def test_the_documentation_states_what_the_model_says() -> None:
    chips = load_chips(FOLDER)
    found = {}
    for predictions in predict(chips, chip_technology(chips, FOLDER)).values():
        for point, measured, terms in zip(
            predictions.points, predictions.measured, predictions.terms, strict=True
        ):
            found[point.chip.name, point.chip.hardware.cell, round(point.measurement.value, 1)] = terms.sum() / measured
    stated = {(chip, cell, round(figure, 1)): ratio for chip, cell, figure, ratio in documented()}
    assert set(stated) == set(found)
    for key, ratio in stated.items():
        assert found[key] == pytest.approx(ratio, rel=0.03), key


def test_every_newer_cell_has_a_chip() -> None:
    cells = {chip.hardware.cell for chip in load_chips(FOLDER)}
    assert cells == {"pcm_1t1r", "fefet_1f1r", "stt_mram", "sram_charge_10t1c", "edram_gain_3t"}
