"""Unit costs of the published profile (arXiv 2603.03880) at 32 nm: simulated circuit tables, fitted RRAM constants.

SRAM energies follow from simulated circuit and buffer energies without a fitted constant. RRAM uses the same buffer
tables, scaled, and constants fitted to published energies (`imcevo.calibrate`). Areas are an exact additive
decomposition of published areas: area = G(depth) + groups R + tiles (B(macros, rows) + B(macros, cols)) + macros
A(rows, cols, V).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.published_actions import ACTIONS, N_ACTIONS
from imcevo.costs.published_tables import read_constants, read_sources, read_table
from imcevo.errors import UserError, listed
from imcevo.hardware import DesignTable
from imcevo.hardware.parameters import GLB_WIDTH_BITS
from imcevo.units import CM2, PJ

Memory = Literal["rram", "sram"]
NODES = (7, 10, 14, 22, 32, 45)
MEMORIES: tuple[Memory, ...] = ("rram", "sram")

VALUE_BITS = 8
_SUPPLY_STEP_V = 0.05  # of all published designs
_ELEMENTS_PER_WORD = GLB_WIDTH_BITS // VALUE_BITS
_LARGEST_INPUT = 2**VALUE_BITS - 1  # an 8-bit input is a train of up to 255 pulses


def nodes_of(memory: Memory) -> tuple[int, ...]:
    """Nodes with published data."""
    return NODES if memory == "sram" else (32,)


class PublishedCosts:
    """Prices and areas of designs of one memory.

    Args:
        memory: ``rram`` or ``sram``.
        node_nm: 32, and for SRAM a node of `NODES`: the tables of 32 nm at a shifted voltage, scaled.
        constants: instead of the shipped unit costs (a refit): name -> value in SI units.

    Raises:
        UserError: a node without published data.
    """

    def __init__(self, memory: Memory, node_nm: int = 32, constants: Mapping[str, float] | None = None) -> None:
        if node_nm not in nodes_of(memory):
            raise UserError("has no published data", key="node_nm", value=node_nm, allowed=listed(nodes_of(memory)))
        self.memory, self.node_nm = memory, node_nm
        section = memory if node_nm == 32 else f"{memory}_{node_nm}nm"
        self.constants = dict(constants) if constants is not None else read_constants(section)
        self._sources = read_sources(section)
        self._scaling = read_constants(f"node_{node_nm}nm")
        self._glb = read_table("global_buffer_32nm.csv", ("glb_depth",))
        self._buffers = read_table("tile_buffers_32nm.csv", ("macros_per_tile", "depth"))
        self._circuits = read_table("circuits_32nm.csv", ("voltage_V", "rows", "cols"))
        self._glb_area = read_table("area_global_buffer_32nm.csv", ("glb_depth",))
        self._buffer_area = read_table("area_tile_buffers_32nm.csv", ("macros_per_tile", "depth"))
        keys = ("rows", "cols") if memory == "rram" else ("voltage_V", "rows", "cols")
        self._macro_area = read_table(f"area_macros_{memory}_32nm.csv", keys)

    def known(self, key: str) -> NDArray[np.float64] | None:
        """Values of a design key with published data, ascending; None where every value has."""
        if key == "voltage_V":
            lowest, highest = self.supply_V
            steps = round((highest - lowest) / _SUPPLY_STEP_V)
            return None if self.memory == "rram" else np.linspace(lowest, highest, steps + 1, dtype=np.float64)
        return {**self._circuits.axes, **self._buffers.axes, **self._glb.axes, **self._macro_area.axes}.get(key)

    @property
    def supply_V(self) -> tuple[float, float]:
        """Lowest and highest SRAM supply voltage published at this node."""
        return self._scaling["lowest_voltage_V"], self._scaling["highest_voltage_V"]

    def chip_costs(self, area_m2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Manufacturing costs of chips of these areas ``[n_designs]``, without unit: 1 cm2 at 32 nm costs 100."""
        return area_m2 / CM2 * self._scaling["cost_per_cm2"]

    def source(self, name: str) -> str:
        """Where a unit cost comes from."""
        return self._sources[name]

    def prices(self, designs: DesignTable) -> NDArray[np.float64]:
        """Joules per action ``[n_designs, N_ACTIONS]``.

        Raises:
            UserError: a value that the tables do not hold.
        """
        terms = self.price_terms(designs)
        prices = np.zeros((designs.n_designs, N_ACTIONS))
        for name, (action, value) in terms.items():
            prices[:, ACTIONS.index(action)] += value * self.constants[name]
        return prices

    def price_terms(self, designs: DesignTable) -> dict[str, tuple[str, NDArray[np.float64]]]:
        """Unit cost -> the action it prices, and what it is multiplied by ``[n_designs]``.

        Prices are linear in the unit costs, so that these can be fitted (`imcevo.calibrate`). A unit cost is joules
        per count where the multiplier is 1, and a plain factor on a simulated energy elsewhere.
        """
        read, write = self._buffer_energies(designs)
        one = np.ones(designs.n_designs)
        terms = {
            "router_J": ("router", one),
            "input_buffer_read": ("input_buffer_read", read["input"]),
            "input_buffer_write": ("input_buffer_write", write["input"]),
            "output_buffer_read": ("output_buffer_read", read["output"]),
            "output_buffer_write": ("output_buffer_write", write["output"]),
            "glb_input_read": ("glb_input_read", read["global"]),
            "glb_output_read": ("glb_output_read", read["global"]),
            "glb_output_write": ("glb_output_write", write["global"]),
        }
        return terms | (self._rram_terms(designs, one) if self.memory == "rram" else self._sram_terms(designs, one))

    def _rram_terms(self, designs: DesignTable, one: NDArray[np.float64]) -> dict[str, tuple[str, NDArray[np.float64]]]:
        square = designs.real("voltage_V") ** 2
        return {
            "cell_read_xw_J": ("cell_read_xw", one),
            "cell_read_x_J": ("cell_read_x", one),
            "row_drive_per_column_F": ("row_drive_x", square * designs.real("cols")),
            "row_drive_F": ("row_drive_x", square),
            "row_select_J": ("row_drive", one),
        }

    def _sram_terms(self, designs: DesignTable, one: NDArray[np.float64]) -> dict[str, tuple[str, NDArray[np.float64]]]:
        at = self._circuits.positions(self._shifted(designs))
        zero, full = (self._circuits[f"row_drive_{level}_pJ"][at] * PJ for level in ("zero", "full"))
        return {
            "dram_J_per_bit": ("dram", one),
            "cell_write": ("cell_write", self._circuits["cell_write_pJ"][at] * PJ),
            "row_write": ("row_write", self._circuits["weight_row_write_pJ"][at] * PJ),
            "row_pulses": ("row_drive_x", _LARGEST_INPUT * (full - zero)),
            "row_select": ("row_drive", zero),
            "adc_conversion": ("adc_conversion", self._circuits["adc_5b_pJ"][at] * PJ),
        }

    def _buffer_energies(
        self, designs: DesignTable
    ) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
        """Read and write energies per 8-bit element of the three buffers; a tile's are as wide as it has macros."""
        macros, at = designs["macros_per_tile"], self._glb.positions(designs)
        read = {"global": self._glb["read_pJ"][at] * PJ / _ELEMENTS_PER_WORD}
        write = {"global": self._glb["write_pJ"][at] * PJ / _ELEMENTS_PER_WORD}
        for name, side in (("input", "rows"), ("output", "cols")):
            at = self._buffers.at({"macros_per_tile": macros, "depth": designs[side]}, {"depth": side})
            read[name] = self._buffers["read_pJ"][at] * PJ / macros
            write[name] = self._buffers["write_pJ"][at] * PJ / macros
        return read, write

    def areas(self, designs: DesignTable) -> NDArray[np.float64]:
        """Areas by component ``[n_designs, n_area_components]``.

        Raises:
            UserError: a value that the tables do not hold.
        """
        groups, macros, scale = designs.real("router_groups"), designs["macros_per_tile"], self._scaling
        macro = self._macro_area.positions(self._shifted(designs))
        tiles = groups * designs.real("tiles_per_group")
        tile = macros * self._macro_area["area_m2"][macro]
        for side in ("rows", "cols"):
            at = self._buffer_area.at({"macros_per_tile": macros, "depth": designs[side]}, {"depth": side})
            tile = tile + self._buffer_area["area_m2"][at]
        depth = self._glb_area.positions(designs)
        return np.stack([
            scale["area_global_buffer"] * self._glb_area["area_m2"][depth], groups * scale["router_group_m2"],
            scale["area_tiles"] * tiles * tile,
        ], axis=1)  # fmt: skip

    def _shifted(self, designs: DesignTable) -> DesignTable:
        """Designs at the voltage of 32 nm that stands for theirs; the tables end at .5 V and 1 V."""
        return designs.replace(voltage_V=self._standing_for(designs.real("voltage_V")))

    def _standing_for(self, voltage_V: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.node_nm == 32:
            return voltage_V
        lowest, highest = self._circuits.axes["voltage_V"][[0, -1]]
        return np.clip(voltage_V + self._scaling["voltage_shift_V"], lowest, highest)
