"""`imcevo validate accelforge`: AccelForge's published equations against its runs of a macro with ReRAM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from imcevo.costs.peers.accelforge import AccelForgeMacros, accelforge_constants, areas_m2, energies_J
from imcevo.units import MM2
from imcevo.validate.peers.tables import Column, PeerData, compare, read_peer_data

SAMPLE = "accelforge_macros.csv"
TARGETS = {"energy_median": 0.20, "energy_spearman": 0.97}
_SIZE, _BITS = Column("integer", most=2**16), Column("integer", tuple(range(1, 17)))
_COLUMNS = {
    "macro": Column("name", ("basic_analog",), scope=True),
    "rows": _SIZE,
    "cols": _SIZE,
    "adc_bits": _BITS,
    "bits_per_cell": _BITS,
    "dac_bits": Column("integer", (1,), scope=True),
    "input_bits": _BITS,
    "weight_bits": _BITS,
    "tech_nm": Column("integer", (32,), scope=True),
    "M": Column("integer", most=2**31),
    "N": Column("integer", most=2**31),
    "K": Column("integer", most=2**31),
    "energy_J": Column("number"),
    "area_mm2": Column("number"),
}


def read_macros(path: Path | None = None) -> PeerData:
    """Macros from a CSV, the shipped ones if `path` is None.

    Raises:
        UserError: see `read_peer_data`.
    """
    return read_peer_data(path, SAMPLE, _COLUMNS)


def validate_accelforge(data: PeerData) -> dict[str, Any]:
    """The report of `compare` with energy and area of the macros."""
    macros = AccelForgeMacros(*(data[name] for name in AccelForgeMacros._fields))
    constants = accelforge_constants()
    energy_J = np.asarray(sum(energies_J(macros, constants).values()))
    area_m2 = np.asarray(sum(areas_m2(macros, constants).values()))
    errors = {
        "energy": energy_J / data["energy_J"] - 1.0,
        "area": area_m2 / (data["area_mm2"] * MM2) - 1.0,
    }
    return compare(errors, (energy_J, data["energy_J"]), TARGETS, data.left_out)
