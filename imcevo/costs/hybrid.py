"""Unit costs of hybrid chips: router groups with two kinds of tiles around one global buffer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imcevo.costs.chip import OUTSIDE_GROUPS, unit_costs
from imcevo.costs.network import links_of
from imcevo.costs.scaling import Array, supply_of
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS, UnitCosts
from imcevo.hardware import DesignTable
from imcevo.technology import Technology

_IN_GROUPS = [index for index, part in enumerate(AREA_COMPONENTS) if part not in OUTSIDE_GROUPS]


def hybrid_costs(parts: Sequence[DesignTable], shares: Sequence[Array], technology: Technology) -> list[UnitCosts]:
    """Prices of the parts of hybrid chips, each with the area and leakage of the whole chip.

    A part is given as the chip that had its kind of tiles in all router groups. Area and leakage of such a chip are
    linear in the number of groups, plus what the parts share and what is alike in both (global buffer, digital unit,
    DRAM interface): the mean over the parts, weighted with their share of the groups, counts that once. All groups
    stand in one mesh whose pitch is that of the mean group, so words travel as far to either kind.

    Args:
        parts: ``[n_designs]`` each; alike in everything but what their cells ask for.
        shares: of the router groups ``[n_designs]``; they add up to 1.

    Raises:
        UserError: as `unit_costs`.
    """
    whole = [unit_costs(designs, technology) for designs in parts]
    area = sum(share[:, None] * costs.area_m2 for share, costs in zip(shares, whole, strict=True))
    leakage = sum(share * costs.leakage_W for share, costs in zip(shares, whole, strict=True))
    groups = parts[0].real("router_groups")
    # Column by column: numpy's sum over an axis adds in an order that depends on the number of designs.
    group_m2 = np.asarray(sum(np.asarray(area)[:, column] for column in _IN_GROUPS)) / groups
    links = links_of(groups, group_m2, supply_of(parts[0], technology), technology)
    priced = []
    for costs in whole:
        energy = costs.energy_J.copy()
        energy[:, ACTIONS.index("trunk")], energy[:, ACTIONS.index("local_link")] = links.trunk, links.local
        priced.append(UnitCosts(energy, np.asarray(area), np.asarray(leakage), costs.rates))
    return priced
