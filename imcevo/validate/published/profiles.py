"""The published and the physical profile on the same designs: where they rank energies alike, and where not.

Neither is a reference for the other. The published profile (arXiv 2603.03880) has no converter in RRAM macros, no
leakage, no accumulators, and interconnect without distance; the physical one has all of them, from circuit models.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.published import MEMORIES, Memory
from imcevo.hardware import PARAMETERS, DesignTable, Value, table_of
from imcevo.simulator.deployment import Deployment, Mode
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.published import PublishedSimulator
from imcevo.validate.peers.tables import spearman
from imcevo.workload import Layer, Network, Precision
from imcevo.workload.published import published_suite

DESIGNS = 500
NETWORKS = ("resnet18", "vgg16", "alexnet", "mobilenet_v3")
# The spaces of arXiv 2603.03880 at 32 nm; the clock, which moves no energy in the published profile, at its fastest.
_VOLTAGES = tuple(round(0.5 + 0.05 * step, 2) for step in range(8))
SPACES: dict[Memory, dict[str, tuple[Value, ...]]] = {
    "rram": {
        "bits_per_cell": (1, 2, 3, 4), "rows": (32, 64, 128, 256, 512), "cols": (32, 64, 128, 256, 512),
        "macros_per_tile": (4, 8, 16, 32, 64, 128), "tiles_per_group": (4, 8, 16, 32, 64),
        "router_groups": (1, 2, 4, 8, 16, 32), "glb_depth": (2048, 4096, 8192, 16384, 32768, 65536, 131072),
        "voltage_V": _VOLTAGES,
    },
    "sram": {
        "bits_per_cell": (1,), "rows": (16, 32, 64, 128, 256), "cols": (16, 32, 64, 128, 256),
        "macros_per_tile": (2, 4, 8, 16, 32, 64), "tiles_per_group": (2, 4, 8, 16, 32),
        "router_groups": (1, 2, 4, 6, 8, 16), "glb_depth": (4096, 8192, 16384, 32768, 65536, 131072, 262144),
        "voltage_V": _VOLTAGES,
    },
}  # fmt: skip
_CELLS = {"rram": "rram_1t1r", "sram": "sram_analog_8t"}
_MODES: dict[Memory, Mode] = {"rram": "resident", "sram": "streamed"}
_DRAWN = 20_000
_MOST_DRAWS = 100


class Agreement(NamedTuple):
    """Designs that both profiles can run, and their mean energies over the networks.

    Attributes:
        designs: with the published profile's keys ``[n_designs]``.
        published_J, physical_J: ``[n_designs]``.
        parts_J: physical energy by component ``[n_designs]``.
    """

    designs: DesignTable
    published_J: NDArray[np.float64]
    physical_J: NDArray[np.float64]
    parts_J: dict[str, NDArray[np.float64]]


def compare_profiles(memory: Memory, *, n_designs: int = DESIGNS, seed: int = 0) -> Agreement:
    """Random designs of a published space that are feasible in both profiles, priced by both.

    Matching configuration: same arrays, tiles, groups, buffers, supply, networks and deployment. The physical profile
    also needs converters (5-bit SAR, 8 columns each, as the published circuits have 5-bit ones), buffers in bytes (one
    row and one column of values per macro, as published) and a digital unit, which the published networks never use.
    """
    published = PublishedSimulator(NETWORKS, memory)
    alone = [
        PhysicalSimulator([_network(name)], Precision(), Deployment(_MODES[memory])) for name in NETWORKS
    ]
    rng = np.random.default_rng(seed)
    found: list[Agreement] = []
    for _ in range(_MOST_DRAWS):
        drawn = _drawn(memory, rng)
        metrics = published.simulate(drawn)
        feasible = np.all([metrics.shortfalls[name] <= 0 for name in published.required], axis=0)
        if feasible.any():
            kept = drawn.take(feasible)
            found.append(_both(kept, metrics.energy_J[feasible].mean(axis=1), memory, alone))
        if sum(len(part.published_J) for part in found) >= n_designs:
            break
    return _joined(found, n_designs)


def validate_profiles(*, n_designs: int = DESIGNS, seed: int = 0) -> dict[str, Any]:
    """Rank correlation of energies between the profiles, by memory, and what the disagreement goes with.

    Returns:
        By memory: ``designs``; ``energy_spearman``; ``ratio_median`` and ``ratio_p05``, ``ratio_p95`` of physical over
        published energy; ``disagreement``: Spearman of that ratio with each design key; ``same_parts_spearman``:
        of the physical energy without the parts that the published profile does not have; ``shares``: mean
        share of each part in the physical energy.
    """
    report: dict[str, Any] = {}
    for memory in MEMORIES:
        found = compare_profiles(memory, n_designs=n_designs, seed=seed)
        ratio = found.physical_J / found.published_J
        own = sum(found.parts_J[part] for part in _absent(memory))
        report[memory] = {
            "designs": len(ratio), "energy_spearman": spearman(found.physical_J, found.published_J),
            "same_parts_spearman": spearman(found.physical_J - own, found.published_J),
            "ratio_median": float(np.median(ratio)), "ratio_p05": float(np.quantile(ratio, 0.05)),
            "ratio_p95": float(np.quantile(ratio, 0.95)),
            "disagreement": {
                key: spearman(ratio, found.designs.real(key))
                for key, values in SPACES[memory].items() if len(values) > 1
            },
            "shares": {part: float(np.mean(joules / found.physical_J)) for part, joules in found.parts_J.items()},
        }  # fmt: skip
    return report


def agreement_rows(*, n_designs: int = DESIGNS, seed: int = 0) -> list[dict[str, Value]]:
    """A row per design of `compare_profiles`: memory, design, both energies."""
    rows: list[dict[str, Value]] = []
    for memory in MEMORIES:
        found = compare_profiles(memory, n_designs=n_designs, seed=seed)
        for index in range(len(found.published_J)):
            design = found.designs.design(index)
            energies = {"published_J": float(found.published_J[index]), "physical_J": float(found.physical_J[index])}
            rows.append({"memory": memory, **{key: design[key] for key in SPACES[memory]}, **energies})
    return rows


def _absent(memory: Memory) -> tuple[str, ...]:
    """Parts of the physical energy that the published profile of a memory does not have."""
    shared = ("leakage", "accumulators", "shift_add", "column_periphery", "digital_unit")
    return (*shared, "adc", "dram", "weight_write") if memory == "rram" else shared


def _drawn(memory: Memory, rng: np.random.Generator) -> DesignTable:
    columns: dict[str, NDArray[Any]] = {}
    for key, values in SPACES[memory].items():
        kind = np.int64 if PARAMETERS[key].kind == "integer" else np.float64
        columns[key] = rng.choice(np.array(values, dtype=kind), size=_DRAWN)
    columns["node_nm"] = np.full(_DRAWN, 32)
    columns["cycle_s"] = np.full(_DRAWN, 1e-9)
    return DesignTable(columns, {})


def _both(
    designs: DesignTable, published_J: NDArray[np.float64], memory: Memory, alone: list[PhysicalSimulator]
) -> Agreement:
    table = _physical(designs, memory)
    fits = np.ones(designs.n_designs, dtype=bool)
    parts: dict[str, NDArray[np.float64]] = {}
    total = np.zeros(designs.n_designs)
    for simulator in alone:
        metrics, breakdown = simulator.simulate(table), simulator.breakdown(table)
        fits &= np.all([metrics.shortfalls[name] <= 0 for name in simulator.required], axis=0)
        total += metrics.energy_J[:, 0] / len(alone)
        for index, part in enumerate(breakdown.energy_components):
            parts[part] = parts.get(part, 0.0) + breakdown.energy_J[:, 0, index] / len(alone)
    return Agreement(
        designs.take(fits), published_J[fits], total[fits], {part: joules[fits] for part, joules in parts.items()}
    )


def _physical(designs: DesignTable, memory: Memory) -> DesignTable:
    """The same designs with the keys of the physical profile."""
    macros, n = designs["macros_per_tile"], designs.n_designs
    added = table_of([{
        "cell": _CELLS[memory], "adc_type": "sar", "adc_bits": 5, "adc_range": "full_scale", "cols_per_adc": 8,
        "dac_bits": 1, "digital_lanes": 256, "dram": "lpddr4",
    }] * n)  # fmt: skip
    buffers = {f"{name}_buffer_B": np.maximum(64, macros * designs[side]) for name, side in
               (("input", "rows"), ("output", "cols"))}  # fmt: skip
    columns = {key: column for key, column in designs.columns.items() if key != "cycle_s"}
    columns["rows_active"] = designs["rows"]
    return DesignTable({**columns, **added.columns, **buffers}, added.names)


def _network(name: str) -> Network:
    """A published network in the physical profile's terms: strides do not enter, and nothing is element-wise."""
    suite = published_suite([name])
    layers = [
        Layer(
            name=f"{number}.{copy}", C=int(C), M=int(M), P=int(P), Q=int(Q), R=int(R), S=int(S), N=int(N), G=int(G),
            H=int(P + R - 1), W=int(Q + S - 1),
        )
        for number, ((C, M, P, Q, R, S, N, G), copies) in enumerate(
            zip(suite.sizes, suite.layers[:, 0], strict=True))
        for copy in range(int(copies))
    ]  # fmt: skip
    return Network(name, "cnn", f"{name} as in arXiv 2603.03880", tuple(layers))


def _joined(found: list[Agreement], n_designs: int) -> Agreement:
    index = slice(n_designs)
    designs = DesignTable(
        {key: np.concatenate([part.designs[key] for part in found])[index] for key in found[0].designs}, {}
    )
    parts = {name: np.concatenate([part.parts_J[name] for part in found])[index] for name in found[0].parts_J}
    published_J, physical_J = (
        np.concatenate([getattr(part, name) for part in found])[index] for name in ("published_J", "physical_J")
    )
    return Agreement(designs, published_J, physical_J, parts)
