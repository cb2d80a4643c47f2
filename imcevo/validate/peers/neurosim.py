"""`imcevo validate neurosim`: NeuroSim's published equations against sub-arrays of NeuroSim V1.3."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imcevo.costs.peers.neurosim import CELLS, NODES, Estimates, SubArrays, estimate, neurosim_constants
from imcevo.units import PJ
from imcevo.validate.peers.tables import Column, PeerData, compare, read_peer_data

SAMPLE = "neurosim_subarrays.csv"
TARGETS = {"area_median": 0.15, "energy_median": 0.15, "latency_median": 0.15, "energy_spearman": 0.97}
_COLUMNS = {
    "cell": Column("name", CELLS, scope=True),
    "technode": Column("integer", NODES, scope=True),
    "rows_cols": Column("integer", tuple(8 * 2**k for k in range(9))),
    "levelOutput": Column("integer", tuple(2**b for b in range(1, 13))),
    "cellBit": Column("integer", tuple(range(1, 9))),
    "adc": Column("name", ("MLSA-CSA", "SAR"), scope=True),
    "row_activity": Column("number", most=1),
    "R_col_ohm": Column("number", most=26e3, scope=True),
    "area_um2": Column("number"),
    "usedArea_um2": Column("number"),
    "sense_cycle_ns": Column("number"),
    "read_cycles_per_inputbit": Column("integer", most=2**16),
    "E_total_pJ": Column("number"),
}


def read_subarrays(path: Path | None = None) -> PeerData:
    """Sub-arrays from a CSV, the shipped ones if `path` is None.

    Raises:
        UserError: see `read_peer_data`.
    """
    return read_peer_data(path, SAMPLE, _COLUMNS)


def validate_neurosim(data: PeerData) -> dict[str, Any]:
    """The report of `compare` with area, energy and read latency of one input bit.

    ``area`` is the rectangle around a sub-array as NeuroSim lays it out, ``used_area`` the sum of its modules. The
    columns' resistances, which follow from the weights and inputs that were simulated, are given.
    """
    arrays = SubArrays(
        data["rows_cols"], data["levelOutput"], data["cellBit"], data["adc"] == "SAR", data["row_activity"],
        data["R_col_ohm"],
    )  # fmt: skip
    constants = neurosim_constants()
    model = Estimates(*(np.empty(len(data)) for _ in Estimates._fields))
    for cell in CELLS:
        for node_nm in NODES:
            chosen = (data["cell"] == cell) & (data["technode"] == node_nm)
            part = estimate(SubArrays(*(column[chosen] for column in arrays)), cell, node_nm, constants)
            for values, estimated in zip(model, part, strict=True):
                values[chosen] = estimated
    energy_J = data["E_total_pJ"] * PJ
    latency_s = data["sense_cycle_ns"] * data["read_cycles_per_inputbit"] * 1e-9
    errors = {
        "area": model.area_m2 / (data["area_um2"] * 1e-12) - 1.0,
        "used_area": model.used_area_m2 / (data["usedArea_um2"] * 1e-12) - 1.0,
        "energy": model.energy_J / energy_J - 1.0,
        "latency": model.latency_s / latency_s - 1.0,
    }
    return compare(errors, (model.energy_J, energy_J), TARGETS, data.left_out)
