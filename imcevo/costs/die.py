"""The cost of making a die: gross dies per wafer, yield, price of a good one."""

from __future__ import annotations

import numpy as np

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array
from imcevo.hardware import DesignTable
from imcevo.portable.arrays import exp, power
from imcevo.technology import Technology


@equation(
    name="gross dies per wafer",
    formula="pi/4 * wafer_m^2/site_m2 * exp(-2 * edge_loss * sqrt(site_m2)/wafer_m)",
    unit="1",
    source="de Vries, IEEE Trans. Semicond. Manuf. 18 (2005) 136; a site is the die and its scribe lanes",
)
def gross_dies(wafer_m: Real, site_m2: Real, edge_loss: Real) -> Real:
    return np.pi / 4 * wafer_m**2 / site_m2 * exp(-2 * edge_loss * np.sqrt(site_m2) / wafer_m)


@equation(
    name="yield of a die",
    formula="(1 + defects_per_m2 * die_m2/critical_levels)^-critical_levels",
    unit="1",
    source="negative binomial: Stapper, IBM J. Res. Dev. 27 (1983) 549; exponent of Feng & Ma, arXiv 2203.12268",
)
def die_yield(defects_per_m2: Real, die_m2: Real, critical_levels: Real) -> Real:
    return power(1 + defects_per_m2 * die_m2 / critical_levels, -critical_levels)


@equation(
    name="cost of a good die", formula="wafer_USD / (dies * good)", unit="USD",
    source="wafer prices: Khan & Mann, AI Chips, CSET 2020; without masks, memory processing, package, test, DRAM",
)  # fmt: skip
def good_die_cost(wafer_USD: Real, dies: Real, good: Real) -> Real:
    return wafer_USD / (dies * good)


def die_costs(area_m2: Array, designs: DesignTable, technology: Technology) -> Array:
    """Price of the wafer area behind one working chip, in US dollars of 2020 ``[n_designs]``.

    Args:
        area_m2: of each chip ``[n_designs]``, made as one die.
        designs: read for the node.
        technology: wafers and defects of the nodes.

    Raises:
        UserError: a node without wafer prices.
    """
    data = technology.manufacturing
    nodes, index = np.unique(designs["node_nm"], return_inverse=True)
    wafers = [technology.wafers(int(node)) for node in nodes]
    price = np.array([wafer.wafer_price.si for wafer in wafers])[index]
    defects = np.array([wafer.defect_density.si for wafer in wafers])[index]
    usable = data.wafer_diameter.si - 2 * data.edge_exclusion.si
    site = (np.sqrt(area_m2) + data.scribe_lane.si) ** 2
    dies = gross_dies(usable, site, data.edge_loss.si)
    good = die_yield(defects, area_m2, data.critical_levels.si)
    return np.asarray(good_die_cost(price, dies, good))
