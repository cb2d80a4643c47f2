"""The look of figures."""

from __future__ import annotations

from imcevo.analysis.figures.style import CYCLE, MARKERS


def test_as_many_kinds_of_cell_as_ship_can_be_told_apart() -> None:
    pairs = {(CYCLE[index % len(CYCLE)], MARKERS[index % len(MARKERS)]) for index in range(24)}
    assert len(pairs) == 24
