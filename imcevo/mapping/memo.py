"""Non-dominated mappings remembered per geometry, and priced for any energies, rates and weights."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.terms import ACTIONS, N_ACTIONS, RATES
from imcevo.mapping.count import RATE_DTYPE
from imcevo.mapping.factors import ON_DIGITAL_UNIT, Mapping
from imcevo.mapping.kernel_records import FACTOR_DTYPE, STREAMED, Records, plain_factors
from imcevo.mapping.mesh_splits import WALK_DTYPE
from imcevo.mapping.nondominated import N_AMOUNTS, choose_nondominated, list_nondominated, price_nondominated
from imcevo.mapping.price import FAST, Prices, scratch
from imcevo.portable.arrays import products

_ROOM = 256  # mappings of one layer at first; doubled where they are more
DEFAULT_BYTES = 2**28


class AtPrices(NamedTuple):
    """What `price_nondominated` and `choose_nondominated` are told of a geometry's mappings and of designs."""

    first: NDArray[np.int64]
    amounts: NDArray[np.float64]
    work: NDArray[np.float64]
    fixed_J: NDArray[np.float64]
    energy_J: NDArray[np.float64]
    leakage_W: NDArray[np.float64]
    seconds: NDArray[np.float64]


class Nondominated(NamedTuple):
    """The mappings of all streamed layers on one geometry of which none is dominated, layer after layer.

    Counts that all mappings of a layer share are kept once per layer; counts that are the same for every mapping (of
    conversions and shift-adds, say) once together.

    Attributes:
        first: where each layer's mappings begin, and the end ``[n_layers + 1]``; layers of the digital unit have none.
        fixed: shared counts ``[n_layers, N_ACTIONS]``, 0 for the others.
        row_of_action: which row of `amounts` counts an action, -1 where it is shared ``[N_ACTIONS]``.
        amounts, work: as `price_nondominated` reads them.
        factors: the mappings ``[n_mappings]``.
    """

    first: NDArray[np.int64]
    fixed: NDArray[np.float64]
    row_of_action: NDArray[np.int64]
    amounts: NDArray[np.float64]
    work: NDArray[np.float64]
    factors: Records

    def at(self, prices: Prices) -> AtPrices:
        """These mappings, and what their counts and work cost."""
        costs, n_rows = prices.costs, int(self.row_of_action.max(initial=-1)) + 1
        energy_J = np.zeros((len(costs.leakage_W), n_rows))
        for action, row in enumerate(self.row_of_action):
            if row >= 0:
                energy_J[:, row] += costs.energy_J[:, action]
        rates = prices.rates()
        seconds = np.stack([
            rates["input_cycle_s"], rates["row_write_s"],
            *(1.0 / rates[f"{name}_bps"] for name in ("input_buffer", "output_buffer", "router", "glb", "dram")),
        ], axis=1)  # fmt: skip
        fixed_J = products(costs.energy_J, self.fixed.T)
        return AtPrices(self.first, self.amounts, self.work, fixed_J, energy_J, costs.leakage_W, seconds)


def nondominated_of(amounts: list[NDArray[np.float64]], factors: list[Records]) -> Nondominated:
    """From each layer's amounts ``[n, N_AMOUNTS]`` and mappings ``[n]``."""
    counts = [of_layer[:, :N_ACTIONS] for of_layer in amounts]
    shared = np.all([(of_layer == of_layer[:1]).all(axis=0) for of_layer in counts], axis=0)
    fixed = np.array([of_layer[0] if len(of_layer) else np.zeros(N_ACTIONS) for of_layer in counts]) * shared
    together = np.concatenate(counts)
    row_of_action, rows = np.full(N_ACTIONS, -1), list[int]()
    for action in np.flatnonzero(~shared):
        same = [row for row, other in enumerate(rows) if (together[:, other] == together[:, action]).all()]
        row_of_action[action] = same[0] if same else len(rows)
        if not same:
            rows.append(int(action))
    glb, dram = [ACTIONS.index("glb_read"), ACTIONS.index("glb_write")], ACTIONS.index("dram")
    work = [
        np.column_stack([of_layer[:, N_ACTIONS:], of_layer[:, glb[0]] + of_layer[:, glb[1]], of_layer[:, dram]])
        for of_layer in amounts
    ]
    return Nondominated(
        np.cumsum([0, *map(len, factors)]), fixed, row_of_action,
        np.concatenate([of_layer[:, rows].T.ravel() for of_layer in counts]),
        np.concatenate([of_layer.T.ravel() for of_layer in work]), np.concatenate(factors),
    )  # fmt: skip


class MappingMemo:
    """Non-dominated mappings of one suite's streamed layers; geometries used last are forgotten last.

    Args:
        layers: ``[n_layers]`` of `LAYER_DTYPE`.
        sum_bits: width of a partial sum.
        most_bytes: memory for what is remembered; the geometry in use stays, however large.
    """

    def __init__(self, layers: Records, sum_bits: int, *, most_bytes: int = DEFAULT_BYTES) -> None:
        self.layers, self.sum_bits, self.most_bytes = layers, sum_bits, most_bytes
        self._network = np.ascontiguousarray(layers["network"])
        self._kept: OrderedDict[bytes, Nondominated] = OrderedDict()
        self.bytes_kept = 0

    def mappings(self, chip: Records) -> Nondominated:
        """Of one geometry ``[1]``, found now or remembered.

        Raises:
            ValueError: weights stay on chip.
        """
        if chip["deployment"][0] != STREAMED:
            raise ValueError("non-dominated mappings are remembered for streamed weights only")
        key = chip.copy()
        key["digital_lanes"] = 0  # of no concern to the arrays
        name = key.tobytes()
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        found = self._found(chip)
        self._kept[name] = found
        self.bytes_kept += _bytes(found)
        while self.bytes_kept > self.most_bytes and len(self._kept) > 1:
            self.bytes_kept -= _bytes(self._kept.popitem(last=False)[1])
        return found

    def priced(self, chip: Records, prices: Prices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Joules, leakage included, and seconds of `mappings` ``[n_designs, n_mappings]`` at the prices of designs that
        share one geometry ``[1]``."""
        known = self.mappings(chip)
        energies = np.empty((len(prices.costs.leakage_W), len(known.factors)))
        latencies = np.empty_like(energies)
        price_nondominated(*known.at(prices), energies, latencies)
        return energies, latencies

    def map(self, chip: Records, prices: Prices, weights: NDArray[np.float64]) -> Mapping:
        """As `map_exactly`, for designs ``[n_designs]`` that share one geometry ``[1]``."""
        known = self.mappings(chip)
        n_designs, n_networks, _ = weights.shape
        chosen = np.zeros((n_designs, len(self.layers)), dtype=np.int64)
        choose_nondominated(*known.at(prices), self._network, np.ascontiguousarray(weights), chosen)
        factors = plain_factors(*chosen.shape)
        factors["unit"] = ON_DIGITAL_UNIT
        mapped = np.diff(known.first) > 0
        factors[:, mapped] = known.factors[chosen[:, mapped]]
        return Mapping(factors, np.zeros((n_designs, n_networks), dtype=np.int64))

    def _found(self, chip: Records) -> Nondominated:
        amounts = [np.empty((0, N_AMOUNTS))] * len(self.layers)
        factors = [np.empty(0, dtype=FACTOR_DTYPE)] * len(self.layers)
        missing, room = np.arange(len(self.layers)), _ROOM
        while len(missing):
            n = len(missing)
            these, those = np.empty((n, room, N_AMOUNTS)), plain_factors(n, room)
            trial, found = plain_factors(n, 1)[:, 0], np.zeros(n, dtype=np.int64)
            list_nondominated(
                self.layers[missing], chip, self.sum_bits, np.zeros(n, dtype=WALK_DTYPE), trial, _one_by_one(),
                *scratch(n), these, those, found,
            )  # fmt: skip
            for place, layer in enumerate(missing):
                if found[place] <= room:
                    amounts[layer] = these[place, : found[place]].copy()
                    factors[layer] = those[place, : found[place]].copy()
            missing, room = missing[found > room], 2 * room
        return nondominated_of(amounts, factors)


def _bytes(known: Nondominated) -> int:
    return sum(values.nbytes for values in known)


def _one_by_one() -> Records:
    """Rates at which only macros, input buffer, output buffer, routers take time, ``[4]``."""
    rates = np.zeros(4, dtype=RATE_DTYPE)
    for name in RATES:
        rates[name] = 0.0 if name in ("input_cycle_s", "row_write_s") else FAST
    rates[0]["input_cycle_s"] = rates[0]["row_write_s"] = 1.0
    for row, name in enumerate(("input_buffer_bps", "output_buffer_bps", "router_bps"), start=1):
        rates[row][name] = 1.0
    return rates
