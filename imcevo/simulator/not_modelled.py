"""The answers of a profile to what it does not model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.hardware import Design, DesignTable
from imcevo.mapping.factors import Mapping as LayerMapping
from imcevo.mapping.kernel_records import Records
from imcevo.simulator.interface import Simulator
from imcevo.simulator.results import LayerReport, NetworkSnr, SampledLayer, WeightLoading
from imcevo.simulator.stages import Stages
from imcevo.technology import Technology


class NotModelled:
    """Base of the profiles: they override what they model. Docstrings are in `Simulator`."""

    cost_unit = ""
    proven_lowest: tuple[str, ...] = ()
    tile_kinds: tuple[str, ...] = ()
    layers: Records | None = None
    stages: Stages | None = None
    technology: Technology | None = None

    def network_snr(self, design: Design) -> Mapping[str, NetworkSnr]:
        return {}

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer] | None:
        return None

    def weight_loading(self, design: Design) -> Mapping[str, WeightLoading]:
        return {}

    def mapped(self, designs: DesignTable) -> LayerMapping | None:
        return None

    def keeping_mappings(self) -> AbstractContextManager[None]:
        return nullcontext()

    def layer_report(self, design: Design, network: str, policy: str | None) -> LayerReport | None:
        return None

    def mapping_gene_costs(self, designs: DesignTable, genes: NDArray[np.int64]) -> NDArray[np.float64] | None:
        return None

    def mapped_greedily(self) -> Simulator | None:
        return None

    def aiming_at(self, least_snr_dB: Sequence[float]) -> Self:
        return self

    def with_technology(self, technology: Technology) -> Self:
        raise UserError("is not known to this profile", value="technology", allowed="the physical profile")

    def restricted_to(self, networks: Sequence[str]) -> Simulator | None:
        return None

    def kernels(self, *, snr: bool) -> tuple[str, ...]:
        return ()

    def compile_kernel(self, designs: DesignTable, name: str) -> None:
        raise KeyError(name)
