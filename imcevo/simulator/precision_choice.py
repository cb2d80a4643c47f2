"""Precision as part of the design: one physical simulator per choice of bits, and the noise that fewer bits bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.operands import network_operand_error
from imcevo.costs.equation import Term
from imcevo.errors import UserError
from imcevo.hardware import Design, DesignTable, Value, table_of
from imcevo.mapping.policies import MappingPolicy
from imcevo.portable.arrays import log10, power
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.design_keys import KEYS
from imcevo.simulator.not_modelled import NotModelled
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.results import (
    Breakdown,
    LayerReport,
    Metrics,
    NetworkSnr,
    Repair,
    SampledLayer,
    WeightLoading,
    results_in_row_order,
)
from imcevo.simulator.snr import error_dB
from imcevo.technology import Technology
from imcevo.workload import Network, Precision, with_precision


class PrecisionChoiceSimulator(NotModelled):
    """The physical profile where designs say at how many bits the suite runs.

    A design is simulated as in a problem that fixes its bits, but for its compute-SNR, which counts from the 8-bit
    networks: the operands' quantisation noise of every matrix layer adds to the errors, also where arrays are exact.
    Layers whose bits the problem fixes (``[precision.layers]``, ``[precision.networks]``) keep them.

    Args:
        networks: the suite, before `with_precision`.
        precision: of the problem; bits that designs choose replace its own.
        choices: values of one or both of `PRECISION_KEYS`.
        deployment, policy, technology: as of `PhysicalSimulator`.
        free_outputs: outputs are stored at the inputs' bits, since they are the next layer's inputs.
    """

    name = "physical"
    cost_unit = "USD"

    def __init__(
        self,
        networks: Sequence[Network],
        precision: Precision,
        choices: Mapping[str, Sequence[int]],
        deployment: Deployment,
        policy: MappingPolicy,
        technology: Technology,
        *,
        free_outputs: bool,
    ) -> None:
        self.keys = (*KEYS, *policy.keys, *choices)
        self._chosen = tuple(choices)
        self._simulators: dict[tuple[int, ...], PhysicalSimulator] = {}
        self._operand_errors: dict[tuple[int, ...], NDArray[np.float64]] = {}
        self._worst: dict[tuple[int, ...], list[tuple[str, float]]] = {}
        for bits in product(*choices.values()):
            given = dict(zip(choices, bits, strict=True))
            if free_outputs and "input_bits" in given:
                given["output_bits"] = given["input_bits"]
            own = precision.model_copy(update=given)
            refined = with_precision(networks, own)
            self._simulators[bits] = PhysicalSimulator(refined, own, deployment, policy, technology)
            noise = [network_operand_error(n.layers, own.input_bits, own.weight_bits) for n in refined]
            self._operand_errors[bits] = np.array([error for error, _, _ in noise])
            self._worst[bits] = [(layer, error) for _, layer, error in noise]
        self._any = next(iter(self._simulators.values()))
        self.networks, self.required = self._any.networks, self._any.required
        self.tile_kinds, self.technology = self._any.tile_kinds, technology
        # Genes of a policy are per layer shape at most, and shapes do not know bits.
        self.mapping_genes, self.repair_reads = self._any.mapping_genes, self._any.repair_reads

    def _of_design(self, design: Design) -> PhysicalSimulator:
        """The simulator of a design's bits; its compute-SNR is without the noise of the operands.

        Raises:
            UserError: bits that are not among the choices.
        """
        bits = tuple(int(design[key]) for key in self._chosen)
        if bits not in self._simulators:
            allowed = ", ".join(sorted({" x ".join(map(str, known)) for known in self._simulators}))
            raise UserError("is no choice of this problem", key=" x ".join(self._chosen), value=bits, allowed=allowed)
        return self._simulators[bits]

    def mapped_greedily(self) -> Self | None:
        """The same with layers mapped by the greedy rule; None unless they are mapped exactly."""
        quick = {bits: simulator.mapped_greedily() for bits, simulator in self._simulators.items()}
        known = {bits: simulator for bits, simulator in quick.items() if simulator is not None}
        return self._with(known) if len(known) == len(quick) else None

    def with_technology(self, technology: Technology) -> Self:
        """The same question under another technology."""
        other = self._with({bits: one.with_technology(technology) for bits, one in self._simulators.items()})
        other.technology = technology
        return other

    def _with(self, simulators: dict[tuple[int, ...], PhysicalSimulator]) -> Self:
        other = copy(self)
        other._simulators, other._any = simulators, next(iter(simulators.values()))
        return other

    def check(self, key: str, value: Value) -> None:
        """Check that there is data for a value, and that bits are among the choices.

        Raises:
            UserError: there is none.
        """
        if key in self._chosen:
            known = sorted({bits[self._chosen.index(key)] for bits in self._simulators})
            if value not in known:
                raise UserError("is no choice of this problem", key=key, value=value, allowed=f"one of {known}")
        else:
            self._any.check(key, value)

    def repair(self, designs: DesignTable) -> DesignTable:
        """As of `PhysicalSimulator`; bits are left alone."""
        return self._any.repair(designs)

    def repairs(self, design: Design) -> Sequence[Repair]:
        """What `repair` changes in one design, with the reason."""
        return self._any.repairs(design)

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        """Energy, latency, area and shortfalls of repaired designs; `snr`: compute-SNR from 8-bit networks too."""
        found, results = [], []
        for bits, rows in self._by_bits(designs):
            metrics = self._simulators[bits].simulate(designs.take(rows), snr=snr)
            if snr:
                errors = power(10.0, -metrics.known_snr_dB() / 10.0) + self._operand_errors[bits]
                noisy = np.where(self._operand_errors[bits] > 0, -10.0 * log10(errors), metrics.known_snr_dB())
                metrics = replace(metrics, snr_dB=noisy)
            found.append(rows)
            results.append(metrics)
        return results_in_row_order(found, results)

    def breakdown(self, designs: DesignTable) -> Breakdown:
        """The same by component."""
        by_bits = list(self._by_bits(designs))
        results = [self._simulators[bits].breakdown(designs.take(rows)) for bits, rows in by_bits]
        return results_in_row_order([rows for _, rows in by_bits], results)

    def explain(self, design: Design) -> Sequence[Term]:
        """As of `PhysicalSimulator`."""
        return self._of_design(design).explain(design)

    def network_snr(self, design: Design) -> Mapping[str, NetworkSnr]:
        """Compute-SNR of every network from its 8-bit one; the worst layer by whichever noise is larger in it."""
        total = self.simulate(table_of([design])).known_snr_dB()[0]
        worst = self._worst[tuple(int(design[key]) for key in self._chosen)]
        found = {}
        for snr_dB, (layer, error), (name, known) in zip(
            total, worst, self._of_design(design).network_snr(design).items(), strict=True
        ):
            if error > 0 and (known.limiting_layer_snr_dB is None or error_dB(error) < known.limiting_layer_snr_dB):
                found[name] = NetworkSnr(float(snr_dB), "low", layer, error_dB(error))
            else:
                found[name] = known._replace(snr_dB=float(snr_dB))
        return found

    def sampled_snr(self, design: Design) -> Sequence[SampledLayer]:
        """As of `PhysicalSimulator`: the arrays' errors alone."""
        return self._of_design(design).sampled_snr(design)

    def weight_loading(self, design: Design) -> Mapping[str, WeightLoading]:
        """As of `PhysicalSimulator`."""
        return self._of_design(design).weight_loading(design)

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        """As of `PhysicalSimulator`."""
        return self._of_design(design).shortfall_notes(design)

    def layer_report(self, design: Design, network: str, policy: str | None) -> LayerReport:
        """As of `PhysicalSimulator`."""
        return self._of_design(design).layer_report(design, network, policy)

    def kernels(self, *, snr: bool) -> tuple[str, ...]:
        """As of `PhysicalSimulator`: bits are data to them."""
        return self._any.kernels(snr=snr)

    def compile_kernel(self, designs: DesignTable, name: str) -> None:
        """As of `PhysicalSimulator`."""
        self._any.compile_kernel(designs, name)

    def _by_bits(self, designs: DesignTable) -> Iterator[tuple[tuple[int, ...], NDArray[np.intp]]]:
        """The rows of every choice of bits that occurs."""
        chosen = np.stack([designs[key] for key in self._chosen], axis=1)
        for bits in np.unique(chosen, axis=0):
            yield tuple(int(b) for b in bits), np.flatnonzero((chosen == bits).all(axis=1))
