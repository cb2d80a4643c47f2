"""The physical profile at the operating points of measured chips: energy, time and area of one step.

Everything comes from `imcevo.costs.unit_costs` of a design made from the row; the counts of one step are closed
because a step is one array-wide product.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts, unit_costs
from imcevo.costs.terms import ACTIONS, AREA_COMPONENTS, RATES
from imcevo.errors import UserError
from imcevo.hardware import DesignTable
from imcevo.technology import Calibration, Technology
from imcevo.technology.quantity import Quantity
from imcevo.validate.survey.data import Survey

# The survey records no sparsity: random bits.
MEAN_LEVEL = 0.5
SCALES = tuple(Calibration.model_fields)
# Converters of few levels in the surveyed chips are flash (C3SRAM and XNOR-SRAM state 11 levels), others SAR.
_MOST_FLASH_BITS = 4
_LEAST_OVERDRIVE_V = 0.02
_MACRO_PARTS = ("cells", "drivers", "column_periphery", "adc", "adder_tree", "shift_add")


class Prediction(NamedTuple):
    """The model at every point ``[n_points]``."""

    energy_J: NDArray[np.float64]
    step_s: NDArray[np.float64]
    area_m2: NDArray[np.float64]


def survey_technology(survey: Survey, technology: Technology) -> Technology:
    """`technology` with every node of the survey, and supplies as the chips were measured.

    A measured supply is a fact, so the ranges that keep a search where the delay law holds are opened: from .02 V
    above the threshold to whatever was applied.
    """
    sizes = sorted({int(nm) for nm in survey["node_nm"]})
    known = technology.with_nodes(sizes)
    nodes = {}
    for nm in sizes:
        node, used = known.node(nm), survey["voltage_V"][survey["node_nm"] == nm]
        low = min(node.lowest_voltage.si, node.threshold_voltage.si + _LEAST_OVERDRIVE_V)
        high = max(node.highest_voltage.si, float(used.max()))
        nodes[nm] = node.model_copy(update={
            "lowest_voltage": Quantity(value=low, unit="V", source="measured chips"),
            "highest_voltage": Quantity(value=high, unit="V", source="measured chips"),
        })  # fmt: skip
    return known.with_nodes_as(nodes)


def above_threshold(survey: Survey, technology: Technology) -> Survey:
    """The points whose supply is above their node's threshold, where the delay law holds; others are listed.

    Raises:
        UserError: there are none.
    """
    known = technology.with_nodes({int(nm) for nm in survey["node_nm"]})
    thresholds = np.array([known.node(int(nm)).threshold_voltage.si for nm in survey["node_nm"]])
    above = survey["voltage_V"] > thresholds + _LEAST_OVERDRIVE_V
    if not above.any():
        raise UserError("no chip runs above the threshold of its node", key="voltage_V")
    return survey.take(above, "runs below the threshold of its node, where there is no delay law")


def survey_designs(survey: Survey) -> DesignTable:
    """One macro per point; every converter does one conversion in a step, so each has one column."""
    names = tuple(sorted(set(survey.cell.tolist())))
    digital = survey.cell == "sram_digital"
    adc_bits = np.where(digital, 0.0, np.nan_to_num(survey["adc_bits"]))
    adc_types = ("flash", "none", "sar")
    adc_type = np.where(digital, 1, np.where(adc_bits <= _MOST_FLASH_BITS, 0, 2))
    ones = np.ones(len(survey))
    columns = {
        "cell": np.searchsorted(names, survey.cell), "node_nm": survey["node_nm"].astype(np.int64),
        "voltage_V": survey["voltage_V"], "bits_per_cell": ones,
        # An adder tree has the dot product's inputs, however the rows are arranged.
        "rows": np.where(digital, np.maximum(survey["dot_product_length"], 2), survey["rows"]),
        "cols": np.ceil(survey["cols"]), "adc_type": adc_type, "adc_bits": adc_bits, "cols_per_adc": ones,
        # Digital macros of more input bits have as many trees.
        "dac_bits": np.where(digital, 1.0, survey["input_bits_per_step"]),
        # Nothing but the macro is compared; a minimal chip around it.
        "macros_per_tile": ones, "tiles_per_group": ones, "router_groups": ones, "input_buffer_B": 64 * ones,
        "output_buffer_B": 64 * ones, "glb_depth": 16 * ones, "digital_lanes": ones,
        "dram": np.zeros(len(survey), dtype=np.int64),
    }  # fmt: skip
    return DesignTable(columns, {"cell": names, "adc_type": adc_types, "dram": ("lpddr4",)})


def predict(survey: Survey, technology: Technology) -> Prediction:
    """Energy, time and area of one step at every point.

    Args:
        technology: from `survey_technology`.

    Raises:
        UserError: a supply at or below the threshold of its node.
    """
    designs = survey_designs(survey)
    costs = unit_costs(designs, technology)
    arrays = np.maximum(1.0, _columns(survey) / designs.real("cols"))
    shared = np.maximum(1.0, np.floor(arrays * designs.real("cols") / survey["adcs"]))
    area = unit_costs(designs.replace(cols_per_adc=shared), technology).area_m2
    macro_m2 = area[:, [AREA_COMPONENTS.index(part) for part in _MACRO_PARTS]].sum(axis=1)
    return Prediction(
        step_energy(survey, designs, costs), costs.rates[:, RATES.index("input_cycle_s")], arrays * macro_m2
    )


def step_energy(survey: Survey, designs: DesignTable, costs: UnitCosts) -> NDArray[np.float64]:
    """Joules of one step ``[n_points]``: counts of one array-wide product times unit costs.

    Word lines are driven once for all columns that share the converters; a step has its columns' part of them.
    """
    price = dict(zip(ACTIONS, costs.energy_J.T, strict=True))
    x = w = MEAN_LEVEL
    digital = designs["adc_type"] == designs.names["adc_type"].index("none")
    trees = np.where(digital, survey["input_bits_per_step"], 1.0)
    columns = _columns(survey)
    cells = columns * trees * survey["dot_product_length"]
    rows = survey["rows_read_per_step"] * trees * columns / designs.real("cols")
    per_cell = price["cell_read"] + x * price["cell_read_x"] + w * price["cell_read_w"] + x * w * price["cell_read_xw"]
    return np.asarray(
        cells * per_cell
        + rows * (price["row_drive"] + x * price["row_drive_x"])
        + columns * (price["column_read"] + trees * price["adder_tree_sum"])
        + survey["adcs"] * price["adc_conversion"]
        + np.where(digital, columns, survey["adcs"]) * price["shift_add"]
    )


def _columns(survey: Survey) -> NDArray[np.float64]:
    """Columns of one step: one per weight bit of every converter."""
    return np.asarray(survey["adcs"] * survey["weight_bits_per_step"])
