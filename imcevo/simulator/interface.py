"""What every simulator profile offers to the floors above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.equation import Term
from imcevo.errors import UserError
from imcevo.hardware import Design, DesignTable, Value
from imcevo.mapping.policies import MappingGenes
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


class Simulator(Protocol):
    """A profile bound to a suite of networks, a technology and a deployment."""

    @property
    def name(self) -> str: ...
    @property
    def networks(self) -> tuple[str, ...]: ...
    @property
    def keys(self) -> tuple[str, ...]:
        """Design keys it reads."""

    @property
    def mapping_genes(self) -> MappingGenes:
        """Variables of the genome that say how layers are mapped."""

    @property
    def required(self) -> tuple[str, ...]:
        """Shortfalls that always make a design infeasible."""

    def mapped_greedily(self) -> Simulator | None:
        """The same with layers mapped by the greedy rule; None unless they are mapped exactly."""

    def check(self, key: str, value: Value) -> None:
        """Check one value of a design, in its parameter's range, against what the profile has data for.

        Raises:
            UserError: a cell, node, converter or size without data.
        """

    def repair(self, designs: DesignTable) -> DesignTable:
        """Designs with the values that their cell forbids replaced; idempotent."""

    @property
    def repair_reads(self) -> Mapping[str, Sequence[str]] | None:
        """Keys that `repair` may change -> the other keys that their repaired values depend on, which it never changes;
        None where there are others."""

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design, with the reason."""

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls of repaired designs; `snr`: compute-SNR too, where it is modelled."""

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """The same by component."""

    def explain(self, design: Design) -> Sequence[Term]:
        """The equations behind one design's unit costs."""

    def network_snr(self, design: Design) -> Mapping[str, NetworkSnr]:
        """By network; empty where the profile does not model it."""

    def weight_loading(self, design: Design) -> Mapping[str, WeightLoading]:
        """By network; empty where the profile does not model it."""

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        """For each missed requirement of one design, a sentence naming network, need, offer and shortfall."""
