"""A chip as a list of parts, one per kind of tiles: what every step of the simulator hands to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs import UnitCosts
from imcevo.hardware import DesignTable
from imcevo.mapping.factors import Mapping
from imcevo.mapping.kernel_records import Records

CHIP, ANALOG, DIGITAL = "chip", "analog", "digital"


class Tiles(NamedTuple):
    """The tiles of one kind of a set of chips, before layers are mapped to them.

    Attributes:
        name: `CHIP` where all tiles are alike; `ANALOG` or `DIGITAL` on a hybrid chip.
        designs: chips that have such tiles in all router groups.
        costs: prices of these tiles; area and leakage of the whole chip.
        geometry: sizes of this part.
    """

    name: str
    designs: DesignTable
    costs: UnitCosts
    geometry: Records


class Part(NamedTuple):
    """Tiles of one kind and the layers on them.

    Attributes:
        tiles: its hardware.
        mapping: of all layers; those of another part are `ELSEWHERE`.
    """

    tiles: Tiles
    mapping: Mapping


class Counts(NamedTuple):
    """Actions and times of one part on one batch, before pricing.

    Attributes:
        actions: ``[n_designs, n_rows, N_ACTIONS]``, a row per network, or per layer where asked.
        times: ``[n_designs, n_rows, n_resources]`` seconds on the binding resource.
        stages: ``[n_designs, n_rows, n_stages]`` seconds that each stage of a pipeline of layers is busy; 0 on
            designs that are not pipelined.
        rows_summed: ``[n_designs]`` the most rows of a layer summed at once on one column.
    """

    actions: NDArray[np.float64]
    times: NDArray[np.float64]
    stages: NDArray[np.float64]
    rows_summed: NDArray[np.int64]
