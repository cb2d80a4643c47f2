"""Dies per wafer against dies placed on a wafer; yield and cost against published numbers."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.costs import die
from imcevo.technology import load_technology
from tests.costs.designs import close, design_of, table


def placed(side_mm: float, radius_mm: float) -> int:
    """Most squares of a grid that fit a disc, over the offsets of the grid."""
    reach = np.arange(-int(radius_mm / side_mm) - 2, int(radius_mm / side_mm) + 2)
    best = 0
    for offset_x in np.linspace(0, 1, 9):
        for offset_y in np.linspace(0, 1, 9):
            x, y = np.meshgrid((reach + offset_x) * side_mm, (reach + offset_y) * side_mm)
            far = np.hypot(np.maximum(abs(x), abs(x + side_mm)), np.maximum(abs(y), abs(y + side_mm)))
            best = max(best, int((far <= radius_mm).sum()))
    return best


@pytest.mark.parametrize("side_mm", [3.0, 7.0, 10.0, 20.0, 28.0])
def test_gross_dies_are_those_that_can_be_placed(side_mm: float) -> None:
    assert die.gross_dies(0.294, (side_mm * 1e-3) ** 2, 1.16) == pytest.approx(placed(side_mm, 147.0), rel=0.06)


def test_yield() -> None:
    # 800 mm2 at .09 per cm2: .72 defects over ten critical levels, half of the dies work
    assert die.die_yield(0.09e4, 800e-6, 10) == close(1.072**-10)
    # Poisson, exp(-D A), is the limit of many critical levels
    assert die.die_yield(700.0, 1e-4, 1e9) == pytest.approx(np.exp(-0.07), rel=1e-6)
    assert die.good_die_cost(3000.0, 100.0, 0.5) == close(60.0)


def test_cost_rises_faster_than_area_and_with_the_node() -> None:
    technology = load_technology()
    area = np.array([50e-6, 100e-6, 400e-6, 800e-6])
    at_28, at_7 = (die.die_costs(area, table(*[design_of(node_nm=nm)] * 4), technology) for nm in (28, 7))
    assert (np.diff(at_28 / area)[1:] > 0).all()
    assert (at_7 > 3 * at_28).all()
    # 2891 USD for pi/4 294^2 mm2 without any loss is 4.26 USD per cm2
    assert at_28[1] > 4.26
    assert at_28[1] == pytest.approx(4.26, rel=0.2)
    assert die.die_costs(area[1:2], table(design_of(node_nm=28)), technology)[0] == at_28[1]


def test_every_node_has_a_wafer() -> None:
    technology = load_technology()
    prices = [technology.wafers(nm).wafer_price.si for nm in sorted(technology.nodes)]
    assert prices == sorted(prices, reverse=True)
