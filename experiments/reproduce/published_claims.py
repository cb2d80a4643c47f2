"""The claims of arXiv 2603.03880, with certified optima instead of samples.

Joint design against designs for one network, and against design in stages: what a joint search gains in EDAP, for the
suite and network by network. Every baseline is an optimum of its own question, decided exhaustively
(`imcevo.optimise.published_baselines`), so that no luck of a search enters; and the best published designs, priced
with the same model.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.reproduce.published_spaces import SPACES, DecidedSpace, design_text
from imcevo.hardware import PARAMETERS, Value, table_of
from imcevo.optimise.optima import SCALARS
from imcevo.optimise.published_baselines import sequential, specialised
from imcevo.simulator.results import Metrics

OBJECTIVES = ("ela", "ela_mean")
SUITE = "suite"
_BEST_DESIGNS = "published_best_designs.csv"


def claims_table(spaces: Mapping[str, DecidedSpace]) -> pd.DataFrame:
    """A row per space, objective, baseline and what the two designs are compared on: the suite, or one network.

    ``joint_Jsm2``, ``baseline_Jsm2``: the objective for the suite, energy x latency x area for one network;
    ``reduction`` = 1 - joint / baseline. ``baseline_feasible``: whether the baseline runs the whole suite within the
    constraints. One design for the largest network is the same as the one for that network; it has rows of its own.
    """
    rows: list[dict[str, Any]] = []
    for name in SPACES:
        space = spaces[name]
        alone = {network: specialised(space.problem, network, "ela") for network in space.problem.networks}
        largest = space.problem.networks[int(space.simulator.weights.argmax())]
        for objective in OBJECTIVES:
            baselines = {
                f"largest network ({largest})": alone[largest],
                **{f"{network} alone": genome for network, genome in alone.items()},
                "sequential from the middle": sequential(space.problem, objective, "middle"),
                "sequential from the largest": sequential(space.problem, objective, "largest"),
            }
            for baseline, genome in baselines.items():
                rows += _compared(space, objective, baseline, genome)
    return pd.DataFrame(rows)


def _compared(space: DecidedSpace, objective: str, baseline: str, genome: NDArray[np.int64]) -> list[dict[str, Any]]:
    metrics = space.metrics(np.stack([space.optimal_genome(objective), genome]))
    feasible = bool((space.problem.violations(metrics)[1] <= 0).all())
    edap = metrics.energy_J * metrics.latency_s * metrics.area_m2[:, None]
    compared = {SUITE: SCALARS[objective].of(metrics), **dict(zip(space.problem.networks, edap.T, strict=True))}
    return [
        {
            "space": space.name, "networks": len(space.problem.networks), "objective": objective,
            "baseline": baseline, "baseline_feasible": feasible, "compared_on": what,
            "joint_Jsm2": joint, "baseline_Jsm2": other, "reduction": 1.0 - joint / other,
            "baseline_design": design_text(space.problem, genome),
        }
        for what, (joint, other) in compared.items()
    ]  # fmt: skip


def published_best_table(spaces: Mapping[str, DecidedSpace]) -> pd.DataFrame:
    """The best published designs: published value, the model's, and how far the certified optimum is below.

    ``error`` = model / published - 1; ``above_optimum`` = model / certified optimum of the same space and suite - 1,
    empty for designs whose values are not in that space.
    """
    text = (resources.files("imcevo") / "validate" / "data" / _BEST_DESIGNS).read_text("utf-8")
    rows = []
    for given in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        space = spaces[given["space"]]
        design = {key: PARAMETERS[key].checked(float(given[key])) for key in space.problem.space.values}
        metrics = space.problem.simulator.simulate(table_of([design]))
        objective, published = given["objective"], float(given["published_Jsm2"])
        model = float(SCALARS[objective].of(metrics)[0])
        rows.append({
            "space": space.name, "networks": len(space.problem.networks), "scenario": given["scenario"], **design,
            "feasible": _feasible(space, metrics), "objective": objective, "published_Jsm2": published,
            "model_Jsm2": model, "error": model / published - 1.0, "certified_Jsm2": space.optimum(objective),
            "above_optimum": model / space.optimum(objective) - 1.0 if _in_space(space, design) else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _feasible(space: DecidedSpace, metrics: Metrics) -> bool:
    return bool((space.problem.violations(metrics) <= 0).all())


def _in_space(space: DecidedSpace, design: Mapping[str, Value]) -> bool:
    return all(np.isclose(design[key], values).any() for key, values in space.problem.space.values.items())


