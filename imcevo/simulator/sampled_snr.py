"""The closed form beside its yardstick: every layer of one design executed bit by bit on a sample."""

from __future__ import annotations

from collections.abc import Iterator

from imcevo.accuracy.closed_form import LAYER_CAP_dB
from imcevo.accuracy.monte_carlo import multiply, snr_dB
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.sources import StatisticsSource
from imcevo.hardware import DesignTable
from imcevo.mapping.factors import Mapping
from imcevo.mapping.kernel_records import Records
from imcevo.simulator.results import SampledLayer
from imcevo.simulator.snr import SnrModel, error_dB

VECTORS, COLUMNS = 32, 16
_SEED = 20212


def sampled_layers(
    model: SnrModel, designs: DesignTable, geometry: Records, mapping: Mapping
) -> Iterator[SampledLayer]:
    """Every distinct layer on one design's arrays ``[1]``; cells and noise of a fixed seed."""
    alike: dict[tuple[str, str, int, int], list[str]] = {}
    first: dict[tuple[str, str, int, int], tuple[StatisticsSource, float]] = {}
    for network, layer, K, source, pieces, error in model.converted_layers(designs, geometry, mapping):
        key = network, source.digest, K, pieces
        alike.setdefault(key, []).append(layer)
        first.setdefault(key, (source, error))
    for (network, _, K, pieces), names in alike.items():
        source, error = first[network, _, K, pieces]
        slicing = Slicing(
            source.input_bits, source.weight_bits, int(designs["dac_bits"][0]), int(designs["bits_per_cell"][0])
        )
        x, w = source.tensors(K, VECTORS, COLUMNS)
        computed = multiply(x, w, source.statistics(slicing, K), model.readout(designs, pieces), seed=_SEED)
        # Digital logic takes off what the code that stands for zero adds: a constant of each column, no signal.
        zero = source.input_zero * w.sum(axis=0, dtype=float)
        simulated = min(snr_dB(x.astype(float) @ w.astype(float) - zero, computed - zero), LAYER_CAP_dB)
        yield SampledLayer(
            network, tuple(names), K, pieces, len(x), w.shape[1], "measured" if source.measured else "stated",
            error_dB(error), simulated,
        )  # fmt: skip
