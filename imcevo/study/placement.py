"""What runs where on hybrid chips: layers and work on analog tiles, digital tiles and the digital unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.mapping.factors import ELSEWHERE, ON_ARRAYS, ON_DIGITAL_UNIT
from imcevo.mapping.kernel_records import Records
from imcevo.problem import CodesignProblem
from imcevo.runs.results import MAPPINGS
from imcevo.study.measure import repaired
from imcevo.study.run_store import RunStore
from imcevo.study.searches import FRONT, Answer
from imcevo.workload.table import MATRIX

PLACES = {"analog tiles": ON_ARRAYS, "digital tiles": ELSEWHERE, "digital unit": ON_DIGITAL_UNIT}
TILES = ("analog tiles", "digital tiles")
KINDS = ("convolution", "pointwise or token-wise", "grouped", "one vector", "activation product")


def layer_kinds(layers: Records) -> NDArray[np.int64]:
    """Index into `KINDS` of every layer, -1 if it is no matrix ``[n_layers]``.

    Kernels larger than one pixel; K x M weights for every pixel or token; several groups (depthwise among them);
    weights that meet a single vector (classifiers); products of two activations (attention). The last that applies
    counts.
    """
    kinds = np.where(layers["R"] * layers["S"] > 1, 0, 1)
    kinds[layers["G"] > 1] = 2
    kinds[layers["vectors"] == 1] = 3
    kinds[layers["dynamic"] == 1] = 4
    kinds[layers["kind"] != MATRIX] = -1
    return kinds


def placement_table(problem: CodesignProblem, answers: Sequence[Answer], store: RunStore) -> pd.DataFrame:
    """A row per design, seed, group of layers and place, of the designs that were searched for all networks.

    ``of``: the ``chosen`` design, the mean over the ``front``, or over those of its designs that use ``both`` kinds of
    tiles; ``designs``: how many; ``layers_of``: a kind of layers, a network, or all; ``layers`` and ``macs``: the share
    of them that runs there.
    """
    layers, networks = problem.simulator.layers, problem.simulator.networks
    assert layers is not None
    rows: list[dict[str, Any]] = []
    for answer in answers:
        if answer.task.candidate.networks != problem.networks:
            continue
        told = {"design": answer.task.candidate.name, "seed": answer.task.search.seed}
        if answer.task.kind == FRONT:
            with np.load(store.folder / answer.runs[0] / MAPPINGS, allow_pickle=False) as mappings:
                unit = mappings["unit"]
            both = np.logical_and(*((unit == PLACES[place]).any(axis=1) for place in TILES))
            for of, designs in (("front", unit), ("both", unit[both])):
                rows += [told | {"of": of} | row for row in _shares(layers, networks, designs)]
        elif answer.design is not None:
            mapping = problem.simulator.mapped(repaired(problem, [answer.design.values]))
            assert mapping is not None
            rows += [told | {"of": "chosen"} | row for row in _shares(layers, networks, mapping.factors["unit"])]
    return pd.DataFrame(rows)


def _shares(layers: Records, networks: Sequence[str], unit: NDArray[np.int32]) -> Iterator[dict[str, Any]]:
    """Means over designs of the units ``[n_designs, n_layers]`` that matrix layers run on; nothing of no designs."""
    if len(unit) == 0:
        return
    kinds = layer_kinds(layers)
    places = {place: unit == code for place, code in PLACES.items()}
    matrix = kinds >= 0
    groups = {"all": matrix} | {kind: kinds == index for index, kind in enumerate(KINDS)}
    groups |= {name: matrix & (layers["network"] == index) for index, name in enumerate(networks)}
    count = layers["count"].astype(np.float64)
    macs = count * layers["vectors"] * layers["weights"]
    for name, group in groups.items():
        if not group.any():
            continue
        for place, there in places.items():
            shares = [float((there[:, group] @ amount[group] / amount[group].sum()).mean()) for amount in (count, macs)]
            if shares[0] > 0:
                yield {"designs": len(unit), "layers_of": name, "place": place, "layers": shares[0], "macs": shares[1]}
