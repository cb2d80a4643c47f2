"""The simulator of a question: the one place that knows which kinds there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imcevo.costs.published import Memory
from imcevo.mapping.policies import MappingPolicy
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.design_keys import HYBRID_KEYS
from imcevo.simulator.hybrid import HybridSimulator
from imcevo.simulator.interface import Simulator
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.precision_choice import PrecisionChoiceSimulator
from imcevo.simulator.published import PublishedSimulator
from imcevo.simulator.snr import Measured
from imcevo.technology import Technology
from imcevo.workload import Network, Precision


def physical_simulator(
    networks: Sequence[Network],
    precision: Precision,
    deployment: Deployment,
    policy: MappingPolicy,
    technology: Technology,
    measured: Measured,
    *,
    keys: Sequence[str],
    bits: Mapping[str, Sequence[int]],
    free_outputs: bool,
) -> Simulator:
    """The physical profile, of chips with one kind of tiles or two, at fixed bits or the design's.

    Args:
        networks: the suite, after `with_precision` where `bits` are fixed, before it where designs choose them.
        measured: statistics of layers; none where designs choose bits.
        keys: of the design space; those of hybrid chips ask for them.
        bits: values of `PRECISION_KEYS` that designs choose.
        free_outputs: outputs are stored at the inputs' bits, where designs choose these.

    Raises:
        UserError: hybrid chips with explicit mapping genes, swapped networks or pipelined execution.
    """
    if bits:
        return PrecisionChoiceSimulator(
            networks, precision, bits, deployment, policy, technology, free_outputs=free_outputs
        )
    kind = HybridSimulator if any(key in keys for key in HYBRID_KEYS) else PhysicalSimulator
    return kind(networks, precision, deployment, policy, technology, measured)


def published_simulator(networks: Sequence[str], memory: Memory) -> Simulator:
    """The published profile.

    Raises:
        UserError: an unknown network, or none.
    """
    return PublishedSimulator(networks, memory)
