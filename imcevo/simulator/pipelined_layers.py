"""How fast inferences follow each other: layers as the stages of a pipeline where every layer owns its arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imcevo.mapping.kernel_records import Records


def initiation_interval_s(stages: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds from the start of one inference to the start of the next, in steady state.

    A resource that works t per inference completes at most one inference per t. A layer's own arrays, tile buffers and
    routers serve that layer alone: the longest such time counts. Global buffer, DRAM, digital unit and all routers
    together serve every layer: their times add up first. (Bottleneck law of a closed line of stages.)

    Args:
        stages: ``[..., n_stages]`` in the order of `imcevo.mapping.count.STAGES`.
    """
    return np.asarray(stages.max(axis=-1))


def in_flight_bits(layers: Records, n_networks: int) -> NDArray[np.float64]:
    """Activations that a full pipeline of layers holds at once ``[n_networks]``, in bits.

    While a layer works on one inference, its inputs (written during the interval before), its outputs, the second
    operand of an activation product and the tensors that skip it are alive, for every layer at the same time.
    """
    second = np.where(layers["dynamic"] == 1, layers["operand_bits"], 0.0)
    held = layers["count"] * (layers["inputs_bits"] + layers["outputs_bits"] + layers["held_bits"] + second)
    return np.asarray(np.bincount(layers["network"], weights=held, minlength=n_networks), dtype=np.float64)
