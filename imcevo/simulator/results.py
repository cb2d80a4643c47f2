"""What simulating gives: metrics, the same by component, and what is told of one design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.units import MM2, OPERATIONS_PER_MAC, TERA


@dataclass(frozen=True)
class Metrics:
    """Results of designs on networks.

    Attributes:
        energy_J: ``[n_designs, n_networks]`` per inference.
        latency_s: ``[n_designs, n_networks]`` from a batch's start to its end on an idle chip.
        area_m2: ``[n_designs]``.
        shortfalls: physical requirement -> ``[n_designs]`` how far it is missed, in its own unit; <= 0 is met.
            ``capacity_bits`` (weights that find no cell), ``adc_bits`` (ADC bits short of a lossless conversion), ...
            A requirement is a constraint of the problem only where the problem asks for it, except those that
            the profile lists in `Simulator.required`.
        snr_dB: compute-SNR ``[n_designs, n_networks]``, `LAYER_CAP_dB` where nothing is lost; None where it was not
            asked for or the profile does not model it.
        cost: of making the chip ``[n_designs]``, in US dollars of wafer area per good die (published profile: without
            unit); None where the profile has no data for it.
        spacing_s: mean time from one finished inference to the next ``[n_designs, n_networks]``; None where it is the
            latency.
        macs: of one inference of every network ``[n_networks]``, at the problem's precision, padding counted.
    """

    energy_J: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    area_m2: NDArray[np.float64]
    shortfalls: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    cost: NDArray[np.float64] | None = None
    snr_dB: NDArray[np.float64] | None = None
    spacing_s: NDArray[np.float64] | None = None
    macs: NDArray[np.float64] | None = None

    @property
    def interval_s(self) -> NDArray[np.float64]:
        """Mean time from one finished inference to the next ``[n_designs, n_networks]``."""
        return self.latency_s if self.spacing_s is None else self.spacing_s

    @property
    def power_W(self) -> NDArray[np.float64]:
        """Mean power of every network while it runs ``[n_designs, n_networks]``."""
        return self.energy_J / self.interval_s

    @property
    def throughput_per_s(self) -> NDArray[np.float64]:
        """Inferences per second of every network while it has the chip ``[n_designs, n_networks]``."""
        return 1.0 / self.interval_s

    @property
    def power_density_W_per_m2(self) -> NDArray[np.float64]:
        """`power_W` over the chip's area ``[n_designs, n_networks]``."""
        return self.power_W / self.area_m2[:, None]

    @property
    def TOPS(self) -> NDArray[np.float64]:
        """10^12 operations per second ``[n_designs, n_networks]``: sustained on the network, not the arrays' peak.

        Two operations per MAC of the network at its own precision, never scaled to 1 bit.
        """
        return OPERATIONS_PER_MAC * self._known_macs() * self.throughput_per_s / TERA

    @property
    def TOPS_per_W(self) -> NDArray[np.float64]:
        """`TOPS` over `power_W`: 10^12 operations per joule ``[n_designs, n_networks]``."""
        return OPERATIONS_PER_MAC * self._known_macs() / self.energy_J / TERA

    @property
    def TOPS_per_mm2(self) -> NDArray[np.float64]:
        """`TOPS` over the whole chip's area, buffers and links included ``[n_designs, n_networks]``."""
        return self.TOPS / self.area_m2[:, None] * MM2

    def _known_macs(self) -> NDArray[np.float64]:
        if self.macs is None:
            raise UserError("is not known to this profile", value="TOPS", allowed="throughput_per_s")
        return self.macs

    def known_snr_dB(self) -> NDArray[np.float64]:
        """`snr_dB`.

        Raises:
            UserError: the profile does not know it.
        """
        if self.snr_dB is None:
            raise UserError("is not known to this profile", value="snr_dB", allowed="the physical profile")
        return self.snr_dB

    def known_cost(self) -> NDArray[np.float64]:
        """`cost`.

        Raises:
            UserError: the profile does not know it.
        """
        if self.cost is None:
            raise UserError("is not known to this profile", value="cost", allowed="the published profile")
        return self.cost


@dataclass(frozen=True)
class Breakdown:
    """The same results by component; sums equal the totals of `Metrics`.

    Attributes:
        energy_J: ``[n_designs, n_networks, n_energy_components]``.
        latency_s: ``[n_designs, n_networks, n_resources]``, each layer's time booked on the resource that binds it.
        area_m2: ``[n_designs, n_area_components]``.
    """

    energy_components: tuple[str, ...]
    latency_components: tuple[str, ...]
    area_components: tuple[str, ...]
    energy_J: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    area_m2: NDArray[np.float64]


class Repair(NamedTuple):
    """One value that the hardware forbids, and what it was changed to."""

    key: str
    given: object
    used: object
    reason: str


class NetworkSnr(NamedTuple):
    """Compute-SNR of one network on one design.

    Attributes:
        snr_dB: of the network, at most the cap of a layer.
        confidence: ``exact`` (nothing is converted by an ADC), ``measured`` (statistics of tensors) or ``low`` (some
            layer's statistics are a stated distribution).
        limiting_layer, limiting_layer_snr_dB: the worst layer; None where all is exact.
    """

    snr_dB: float
    confidence: str
    limiting_layer: str | None
    limiting_layer_snr_dB: float | None


class WeightLoading(NamedTuple):
    """How one network's weights get into the cells of one design, and how long the cells stand it.

    Attributes:
        how: ``once`` or ``per_programming`` (resident), ``per_switch`` (swapped) or ``per_inference`` (streamed).
        energy_J, time_s: of one loading of all weights; None where it is part of every inference.
        lifetime_inferences: until the most written cell has used up its endurance; None if cells are not worn.
    """

    how: str
    energy_J: float | None
    time_s: float | None
    lifetime_inferences: float | None


class SampledLayer(NamedTuple):
    """One layer of one design executed bit by bit on a sample, beside the closed form.

    Attributes:
        layers: names of the layers that this one stands for: same shape and statistics.
        K, pieces: reduction length, and reads it falls into.
        vectors, columns: sampled.
        statistics: ``measured`` (a sample of the tensors) or ``stated`` (drawn from the distribution).
        closed_form_dB, monte_carlo_dB: SNR, at most the cap of a layer.
    """

    network: str
    layers: tuple[str, ...]
    K: int
    pieces: int
    vectors: int
    columns: int
    statistics: str
    closed_form_dB: float
    monte_carlo_dB: float


@dataclass(frozen=True)
class MappedLayer:
    """How one matrix layer of one design runs.

    Attributes:
        layer: its shape in words.
        count: layers of this shape.
        part: ``chip``, or the kind of tiles on a hybrid one.
        factors: of the mapping, by name; the loop order in letters.
        duplicates: copies of the weights that work on different pixels.
        utilisation: share of the cells taken that hold weights; None on the digital unit.
        energy_J, latency_s: of all `count` layers, leakage included.
        dram_bits, glb_bits: moved.
        binds: the resource that takes longest.
        distance: energy x latency over its least for the layer, minus 1; None where weights stay on chip, since a
            layer's best then depends on the tiles that the others leave it.
    """

    layer: str
    count: int
    part: str
    factors: Mapping[str, int | str]
    duplicates: int
    utilisation: float | None
    energy_J: float
    latency_s: float
    dram_bits: float
    glb_bits: float
    binds: str
    distance: float | None


class LayerReport(NamedTuple):
    """The matrix layers of one network on one design, and the energy and latency of all its layers."""

    layers: Sequence[MappedLayer]
    energy_J: float
    latency_s: float


ResultT = TypeVar("ResultT", Metrics, Breakdown)

# Of the suite or the profile, the same for every design.
_SHARED = {"macs", "energy_components", "latency_components", "area_components"}


def in_row_order(rows: Sequence[NDArray[np.intp]], values: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Values of some rows each ``[n_rows, ...]`` as one array in the order of the rows, which leave none out."""
    place, together = np.concatenate(rows), np.concatenate(values)
    return together if (place[1:] > place[:-1]).all() else together[np.argsort(place, kind="stable")]


def results_in_row_order(rows: Sequence[NDArray[np.intp]], results: Sequence[ResultT]) -> ResultT:
    """Results of some rows each as one, in the order of the rows; what all designs share stays as it is."""
    first = results[0]
    if len(results) == 1:
        return first
    columns: dict[str, Any] = {}
    for name, value in vars(first).items():
        every = [getattr(part, name) for part in results]
        if name in _SHARED or value is None:
            continue
        if isinstance(value, Mapping):
            columns[name] = {key: in_row_order(rows, [one[key] for one in every]) for key in value}
        else:
            columns[name] = in_row_order(rows, every)
    return replace(first, **columns)
