"""What every simulator profile offers to the floors above it, which never ask which profile it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.equation import Term
from imcevo.hardware import Design, DesignTable, Value
from imcevo.mapping.factors import Mapping as LayerMapping
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.policies import MappingGenes
from imcevo.simulator.results import Breakdown, LayerReport, Metrics, NetworkSnr, Repair, SampledLayer, WeightLoading
from imcevo.technology import Technology

if TYPE_CHECKING:
    from imcevo.simulator.stages import Stages


class Simulator(Protocol):
    """A profile bound to a suite of networks, a technology and a deployment.

    What only some profiles model answers None, or nothing, on the others; `NotModelled` holds those answers.
    """

    # What a problem is made of.

    @property
    def cost_unit(self) -> str:
        """Of `Metrics.cost`: ``USD``, or "" where it is a number without unit."""

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

    @property
    def proven_lowest(self) -> tuple[str, ...]:
        """Keys whose lowest value never raises latency and leaves energy, area and shortfalls as they are."""

    def check(self, key: str, value: Value) -> None:
        """Check one value of a design, in its parameter's range, against what the profile has data for.

        Raises:
            UserError: a cell, node, converter or size without data.
        """

    # Repair.

    def repair(self, designs: DesignTable) -> DesignTable:
        """Designs with the values that their cell forbids replaced; idempotent."""

    @property
    def repair_reads(self) -> Mapping[str, Sequence[str]] | None:
        """Keys that `repair` may change -> the other keys that their repaired values depend on, which it never changes;
        None where there are others."""

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design, with the reason."""

    # Results of repaired designs.

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls; `snr`: compute-SNR too, where it is modelled."""

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """The same by component."""

    def explain(self, design: Design) -> Sequence[Term]:
        """The equations behind one design's unit costs."""

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        """For each missed requirement of one design, a sentence naming network, need, offer and shortfall."""

    def network_snr(self, design: Design) -> Mapping[str, NetworkSnr]:
        """By network; empty where it is not modelled."""

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer] | None:
        """Every layer that converters read, executed bit by bit on a sample; None where it is not modelled."""

    def weight_loading(self, design: Design) -> Mapping[str, WeightLoading]:
        """By network; empty where it is not modelled."""

    # Layers and how they are mapped.

    @property
    def layers(self) -> Records | None:
        """The rows ``[n_layers]`` of `mapped`; None where designs do not share one set of mapped layers."""

    @property
    def tile_kinds(self) -> tuple[str, ...]:
        """Kinds of tiles that layers are placed on; empty where the profile places none."""

    @property
    def stages(self) -> Stages | None:
        """The single steps from designs to counts, to measure or study one alone; None where there are no such."""

    def mapped(self, designs: DesignTable) -> LayerMapping | None:
        """The mappings of repaired designs, as `simulate` uses them; None as `layers`.

        Layers on the arrays of a hybrid chip's digital tiles have `ELSEWHERE` as their unit.
        """

    def keeping_mappings(self) -> AbstractContextManager[None]:
        """Inside, equal sets of designs are mapped once: for asking several questions about a few designs."""

    def layer_report(self, design: Design, network: str, policy: str | None) -> LayerReport | None:
        """How the layers of a network run on one repaired design; None where the profile has a mapper of its own.

        Args:
            policy: a mapping policy instead of the problem's.
        """

    def mapping_gene_costs(self, designs: DesignTable, genes: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Energy and latency of the layers that each block of mapping genes decides; None where genes decide none.

        Args:
            designs: repaired; their own mapping genes are not read.
            genes: several mappings of every design ``[n_mappings, n_designs, n_genes]``.

        Returns:
            ``[n_mappings, n_designs, n_blocks + 1, 2]`` in J and s, the last block for layers without genes.
        """

    # The same question, changed.

    def mapped_greedily(self) -> Simulator | None:
        """With layers mapped by the greedy rule; None unless they are mapped exactly."""

    def aiming_at(self, least_snr_dB: Sequence[float]) -> Simulator:
        """Placing layers so that every network has this compute-SNR (-inf: it does not matter), if it places any."""

    @property
    def technology(self) -> Technology | None:
        """Cells, nodes and circuits; None where unit costs are a table of their own."""

    def with_technology(self, technology: Technology) -> Simulator:
        """Under another technology.

        Raises:
            UserError: the profile has none.
        """

    def restricted_to(self, networks: Sequence[str]) -> Simulator | None:
        """For some of its networks; None where the profile cannot tell them apart afterwards."""

    # Compiled code.

    def kernels(self, *, snr: bool) -> tuple[str, ...]:
        """Names of the large kernels that simulating needs, the one that takes longest to compile first.

        Args:
            snr: compute-SNR is asked for.
        """

    def compile_kernel(self, designs: DesignTable, name: str) -> None:
        """Use one of `kernels` once, on repaired designs whose mapping is neither read nor good."""
