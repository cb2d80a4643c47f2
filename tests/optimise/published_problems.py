"""Small problems on the published profile, put together without files."""

from pathlib import Path

import numpy as np

from imcevo.hardware import DesignSpace
from imcevo.problem import CodesignProblem, HypervolumeBox
from imcevo.problem.constraints import Constraint
from imcevo.problem.objectives import Objective
from imcevo.problem.quantities import QUANTITIES
from imcevo.simulator.published import PublishedSimulator
from tests.simulator.published_cases import SPACES


def problem_of(
    memory, metrics=("energy_J", "latency_s", "area_m2"), constraints=(), networks=("resnet18", "alexnet"), **values
):
    simulator = PublishedSimulator(networks, memory)
    space = DesignSpace({key: tuple(values.get(key, SPACES[memory][key])) for key in simulator.keys})
    objectives = tuple(Objective(metric, None if QUANTITIES[metric].of == "chip" else "mean") for metric in metrics)
    bounds = (Constraint("area_m2", 8e-4), *(Constraint(name, 0.0) for name in simulator.required), *constraints)
    n = len(objectives)
    box = HypervolumeBox(ideal=np.full(n, 1e-12), reference=np.ones(n), log10=True)
    return CodesignProblem(
        "small", "", Path("small.toml"), "0" * 64, space, simulator, objectives, bounds, box, "", {}
    )
