"""`imcevo validate zigzag`: ZigZag-IMC's published equations against zigzag-dse 3.9.1 on ResNet-18."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imcevo.costs.peers.zigzag import (
    INPUT_BITS,
    ZigZagMacro,
    areas_m2,
    clock_s,
    energies_J,
    zigzag_constants,
)
from imcevo.costs.peers.zigzag_mapping import used_macro
from imcevo.units import MM2, PJ
from imcevo.validate.peers.tables import Column, PeerData, compare, read_peer_data
from imcevo.workload import load_network

SAMPLE = "zigzag_imc_designs.csv"
TARGETS = {"energy_median": 0.02, "clock_median": 0.02, "area_median": 0.02}


def read_designs(path: Path | None = None) -> PeerData:
    """Designs from a CSV, the shipped ones if `path` is None.

    Raises:
        UserError: see `read_peer_data`.
    """
    rows = tuple(entry.rows for entry in zigzag_constants().cell_area)
    columns = {
        "imc_type": Column("name", ("analog", "digital")),
        "rows_D2": Column("integer", rows, scope=True),
        "cols_weights_D1": Column("integer", most=2**16),
        "adc_bits": Column("integer", tuple(range(17))),
        "bit_serial": Column("integer", (1, 2, 4, 8)),
        "spatial_cycles": Column("number"),
        "mac_energy_pJ": Column("number"),
        "tclk_ns": Column("number"),
        "imc_area_mm2": Column("number"),
    }
    return read_peer_data(path, SAMPLE, columns)


def validate_zigzag(data: PeerData) -> dict[str, Any]:
    """The report of `compare` with energy, clock and area of the macros, buffers left out.

    ZigZag's own number of activations enters ``energy``: how its mapper chooses is no part of the cost model.
    ``energy_fullest_mapping`` does without.
    """
    layers = [layer for layer in load_network("resnet18").layers if layer.kind == "matrix"]
    constants = zigzag_constants()
    energy_J, fullest_J, clock, area = np.empty((4, len(data)))
    for i in range(len(data)):
        rows, cols, adc_bits, input_bits = (
            int(data[name][i]) for name in ("rows_D2", "cols_weights_D1", "adc_bits", "bit_serial")
        )
        macro = ZigZagMacro(data["imc_type"][i] == "analog", rows, cols, adc_bits, input_bits)
        given = used_macro(layers, rows, cols, data["spatial_cycles"][i] * input_bits / INPUT_BITS)
        energy_J[i] = sum(energies_J(macro, given, constants).values())
        fullest_J[i] = sum(energies_J(macro, used_macro(layers, rows, cols), constants).values())
        clock[i] = clock_s(macro, constants)
        area[i] = sum(areas_m2(macro, constants).values())
    simulated_J = data["mac_energy_pJ"] * PJ
    errors = {
        "energy": energy_J / simulated_J - 1.0,
        "energy_fullest_mapping": fullest_J / simulated_J - 1.0,
        "clock": clock / (data["tclk_ns"] * 1e-9) - 1.0,
        "area": area / (data["imc_area_mm2"] * MM2) - 1.0,
    }
    return compare(errors, (energy_J, simulated_J), TARGETS, data.left_out)
