"""`imcevo validate snr`: closed-form compute-SNR against bit-exact Monte Carlo, and against networks' accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.closed_form import layer_snr_dB, network_snr_dB
from imcevo.accuracy.monte_carlo import multiply
from imcevo.accuracy.readout import readout_table
from imcevo.accuracy.slicing import CODINGS, Slicing
from imcevo.accuracy.statistics import LayerStatistics, measured_statistics
from imcevo.accuracy.trained import BITS, TRAINED_NETWORKS, TrainedNetwork, exact_product, trained_network

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
GridPart = Literal["half_normal", "signed", "few_rows"]

TARGETS = {
    "rms_dB_0_20": 0.8, "within_1dB_0_20": 0.92, "layers_rms_dB": 2.0, "digits_spearman": -0.85,
    "violations_above_16dB": 0, "designs": 80,
}  # fmt: skip
AT_LEAST = ("within_1dB_0_20", "designs")

# None of these row counts, seeds or networks was used while the closed form was developed.
_GRID_SEED, _LAYERS_SEED, _NETWORKS_SEED, _SIGNED_SEED, _FEW_SEED = 7301, 7302, 7313, 7311, 7312
_ROWS = (48, 80, 112, 144, 208, 320, 384)
_FEW_ROWS, _FEW_FOLDS = (5, 6, 10, 14, 20, 28), (12, 13)  # few rows on at once, as precise designs have
_ADC_BITS = tuple(range(3, 11))
_CELL_VARIATION = (0.0, 0.0, 0.02, 0.05, 0.1, 0.15)
_SLICINGS = tuple(Slicing(BITS, BITS, dac_bits, bits_per_cell, coding)
                  for coding in CODINGS for dac_bits in (1, 2) for bits_per_cell in (1, 2, 3))  # fmt: skip
_GRID_READOUTS = {"half_normal": 4, "signed": 2, "few_rows": 1}  # per row count, number of folds and slicing
_GRID_VECTORS, _GRID_COLUMNS = 64, 48
_SIGNED_ZERO = 128  # the code of 0 in offset binary
_LAYER_SLICINGS, _LAYER_READOUTS, _LAYER_VECTORS = 8, 8, 160
_NETWORK_READOUTS = 6  # per slicing
# A design is judged on every input of a data set's test part; of breast cancer's 569, each half by the network that
# was trained on the other.
_DATA_SETS = (("digits_cnn",), ("digits_mlp",), ("breast_cancer_mlp", "breast_cancer_mlp_swapped"))
_STATISTICS_VECTORS = 384
_CHIPS = 5  # over which error variance and accuracy are averaged where cells vary
_THRESHOLD_dB, _LARGEST_DROP = 16.0, 0.01
_MOST_dB = 60.0


class Comparison(NamedTuple):
    """SNR in dB ``[n_points]``, at most 60: closed form and Monte Carlo."""

    closed: Floats
    simulated: Floats

    def errors(self, low: float, high: float) -> Floats:
        """Closed form minus Monte Carlo where the latter is in [low, high) dB."""
        inside = (self.simulated >= low) & (self.simulated < high)
        return (self.closed - self.simulated)[inside]


class NetworkDesigns(NamedTuple):
    """Designs run on trained networks, all ``[n_designs]``.

    Attributes:
        network: name; of networks that share a data set, the first one's.
        snr_dB: SNR_tot in closed form, of these networks the least.
        drop: accuracy of the network less that on the simulated arrays, mean over inputs and chips.
        drop_of_a_chip: that of the worst chip.
        inputs: number that it is judged on.
    """

    network: NDArray[np.str_]
    snr_dB: Floats
    drop: Floats
    drop_of_a_chip: Floats
    inputs: Integers


def validate_snr() -> dict[str, Any]:
    """The report, ready for JSON; every figure comes from fixed seeds.

    Returns:
        ``rms_dB_0_20``, ``within_1dB_0_20``: closed form against Monte Carlo of synthetic tensors, 0 to 20 dB, with
        ``rms_dB_below_0``, ``rms_dB_20_40`` and counts; ``signed_...``: its part with signed inputs; ``few_rows_...``:
        the same on 5 to 28 active rows, not part of the grid; ``layers_...``: on layers of trained networks;
        ``digits_spearman``: rank correlation of SNR_tot and accuracy drop; ``violations_above_16dB``: designs with
        SNR_tot >= 16 dB whose accuracy drops by more than 1 %, of ``designs_above_16dB``;
        ``violations_of_a_chip_above_16dB``: those of which one chip of five does; ``targets``; ``passed``.
    """
    half_normal, signed, few = (synthetic_grid(part) for part in ("half_normal", "signed", "few_rows"))
    grid = _joined([half_normal, signed])
    layers, designs = network_layers(), network_designs()
    above = designs.snr_dB >= _THRESHOLD_dB
    failing = designs.drop > _LARGEST_DROP
    report: dict[str, Any] = {
        **_figures(grid, ""),
        **_figures(signed, "signed_"),
        **_figures(few, "few_rows_"),
        **_figures(layers, "layers_"),
        "layers_rms_dB": _rms(layers.errors(0, 20)),
        "digits_spearman": _digits_spearman(designs),
        "violations_above_16dB": int((above & failing).sum()),
        "violations_of_a_chip_above_16dB": int((above & (designs.drop_of_a_chip > _LARGEST_DROP)).sum()),
        "largest_drop_above_16dB": float(designs.drop[above].max()),
        "designs": len(designs.drop),
        "designs_above_16dB": int(above.sum()),
        "highest_failing_snr_dB": float(designs.snr_dB[failing].max()) if failing.any() else None,
    }
    report["targets"] = {
        name: {"target": target, "passed": bool(report[name] >= target if name in AT_LEAST else report[name] <= target)}
        for name, target in TARGETS.items()
    }
    report["passed"] = all(verdict["passed"] for verdict in report["targets"].values())
    return report


def _figures(points: Comparison, prefix: str) -> dict[str, Any]:
    errors = points.errors(0, 20)
    return {
        f"{prefix}points": len(points.closed),
        f"{prefix}points_0_20": len(errors),
        f"{prefix}rms_dB_0_20": _rms(errors),
        f"{prefix}within_1dB_0_20": float((np.abs(errors) <= 1).mean()),
        f"{prefix}mean_dB_0_20": float(errors.mean()),
        f"{prefix}largest_dB_0_20": float(np.abs(errors).max()),
        f"{prefix}rms_dB_below_0": _rms(points.errors(-np.inf, 0)),
        f"{prefix}rms_dB_20_40": _rms(points.errors(20, 40)),
    }


def _rms(errors: Floats) -> float:
    return float(np.sqrt((errors**2).mean()))


def _digits_spearman(designs: NetworkDesigns) -> float:
    from scipy.stats import spearmanr

    digits = np.char.startswith(designs.network, "digits")
    return float(spearmanr(designs.snr_dB[digits], designs.drop[digits]).statistic)


def synthetic_grid(part: GridPart) -> Comparison:
    """Normal weights of 8 bits under every slicing, random converters and cells.

    Args:
        part: half-normal inputs; ``signed`` ones, normal in offset binary; or ``few_rows`` on at once, both inputs.
    """
    rng = np.random.default_rng({"half_normal": _GRID_SEED, "signed": _SIGNED_SEED, "few_rows": _FEW_SEED}[part])
    pairs: list[Comparison] = []
    for rows in _FEW_ROWS if part == "few_rows" else _ROWS:
        for index, folds in enumerate(_FEW_FOLDS if part == "few_rows" else (1, 2)):
            K, signed = rows * folds, part == "signed" or (part == "few_rows" and index == 1)
            zero = _SIGNED_ZERO if signed else 0
            drawn = rng.normal(0, 0.25 if signed else 0.33, (_GRID_VECTORS, K))
            codes = np.round(drawn * zero) + zero if signed else np.round(np.abs(drawn) * 255)
            x = np.clip(codes, 0, 255).astype(np.int64)
            w = np.clip(np.round(rng.normal(0, 0.25, (K, _GRID_COLUMNS)) * 127), -127, 127).astype(np.int64)
            for slicing in _SLICINGS:
                readouts = _random_readouts(rng, K, [rows] * _GRID_READOUTS[part])
                statistics = measured_statistics(x, w, slicing, input_zero=zero)
                pairs.append(_compare(x, w, statistics, readouts, rng, zero))
    return _joined(pairs)


def network_layers() -> Comparison:
    """Layers of the trained networks: statistics from training inputs, Monte Carlo on test inputs."""
    rng = np.random.default_rng(_LAYERS_SEED)
    pairs: list[Comparison] = []
    for network in map(trained_network, TRAINED_NETWORKS):
        seen, tested = network.layer_inputs(network.calibration), network.layer_inputs(network.test)
        for known, x, w in zip(seen, tested, network.weights, strict=True):
            for choice in rng.choice(len(_SLICINGS), _LAYER_SLICINGS, replace=False):
                statistics = measured_statistics(_sample(rng, known, _STATISTICS_VECTORS), w, _SLICINGS[choice])
                readouts = _random_readouts(rng, len(w), rng.choice(_ROWS, _LAYER_READOUTS).tolist())
                pairs.append(_compare(_sample(rng, x, _LAYER_VECTORS), w, statistics, readouts, rng))
    return _joined(pairs)


def network_designs() -> NetworkDesigns:
    """Random designs: SNR_tot of every trained network, and its accuracy with all layers on simulated arrays."""
    rng = np.random.default_rng(_NETWORKS_SEED)
    names, snr, drops, inputs = [], [], [], []
    for data_set in _DATA_SETS:
        networks = [trained_network(name) for name in data_set]
        seen = [[_sample(rng, x, _STATISTICS_VECTORS) for x in network.layer_inputs(network.calibration)]
                for network in networks]  # fmt: skip
        for slicing in _SLICINGS:
            statistics = [[measured_statistics(x, w, slicing) for x, w in zip(known, network.weights, strict=True)]
                          for known, network in zip(seen, networks, strict=True)]  # fmt: skip
            for design in _designs(rng, _NETWORK_READOUTS):
                seed = int(rng.integers(2**31))
                runs = [_run(*pair, design, seed) for pair in zip(networks, statistics, strict=True)]
                names.append(data_set[0])
                inputs.append(sum(len(network.test) for network in networks))
                snr.append(min(closed for closed, _ in runs))
                drops.append(np.sum([lost for _, lost in runs], axis=0) / inputs[-1])
    mean, worst = ([float(of(drop)) for drop in drops] for of in (np.mean, np.max))
    return NetworkDesigns(np.array(names), np.array(snr), np.array(mean), np.array(worst), np.array(inputs))


def _run(
    network: TrainedNetwork, statistics: Sequence[LayerStatistics], design: dict[str, Any], seed: int
) -> tuple[float, Floats]:
    """SNR_tot in closed form, dB, and how many inputs more than exactly are classified wrongly ``[n_chips]``."""
    readouts = [_readouts(layer.K, **design) for layer in statistics]
    snr = network_snr_dB([layer_snr_dB(*pair)[0] for pair in zip(statistics, readouts, strict=True)])

    def on_chip(chip: int) -> float:
        def product(layer: int, x: Integers, w: Integers) -> Floats:
            return multiply(x, w, statistics[layer], readouts[layer], seed=seed + 100 * chip + layer)

        return network.accuracy(product)

    right = np.array([on_chip(chip) for chip in range(_chips(readouts[0]))])
    return float(snr), (network.accuracy(exact_product) - right) * len(network.test)


def _compare(
    x: Integers, w: Integers, statistics: LayerStatistics, readouts: NDArray[np.void], rng: np.random.Generator,
    zero: int = 0,
) -> Comparison:  # fmt: skip
    exact, signal = exact_product(0, x, w), float(exact_product(0, x - zero, w).var())
    simulated = []
    for index in range(len(readouts)):
        readout = readouts[index : index + 1]
        variances = [float((multiply(x, w, statistics, readout, seed=int(rng.integers(2**31))) - exact).var())
                     for _ in range(_chips(readout))]  # fmt: skip
        ratio = max(float(np.mean(variances)) / signal, 10 ** (-_MOST_dB / 10))
        simulated.append(-10 * np.log10(ratio))
    return Comparison(layer_snr_dB(statistics, readouts), np.array(simulated))


def _chips(readout: NDArray[np.void]) -> int:
    return _CHIPS if readout["cell_variation"][0] > 0 else 1


def _designs(rng: np.random.Generator, n: int, rows: Sequence[int] | None = None) -> Iterator[dict[str, Any]]:
    for index in range(n):
        yield {
            "rows": int(rng.choice(_ROWS)) if rows is None else rows[index], "adc_bits": int(rng.choice(_ADC_BITS)),
            "calibrated": int(rng.integers(2)), "cell_variation": float(rng.choice(_CELL_VARIATION)),
        }  # fmt: skip


def _random_readouts(rng: np.random.Generator, K: int, rows: Sequence[int]) -> NDArray[np.void]:
    return np.concatenate([_readouts(K, **design) for design in _designs(rng, len(rows), rows)])


def _readouts(K: int, *, rows: int, adc_bits: int, calibrated: int, cell_variation: float) -> NDArray[np.void]:
    """One readout of a layer of reduction length K on arrays of `rows` rows."""
    return readout_table(rows_active=rows, folds=-(-K // rows), adc_bits=adc_bits, calibrated=calibrated,
                         cell_variation=cell_variation)  # fmt: skip


def _sample(rng: np.random.Generator, vectors: Integers, most: int) -> Integers:
    return vectors[rng.permutation(len(vectors))[:most]]


def _joined(pairs: Sequence[Comparison]) -> Comparison:
    closed, simulated = zip(*pairs, strict=True)
    return Comparison(np.concatenate(closed), np.concatenate(simulated))
