"""From a problem file to a `CodesignProblem`, every mistake told by file, key and value."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from imcevo.errors import UserError
from imcevo.hardware import LATENCY_WEIGHT, DesignSpace, parameter, require_keys
from imcevo.mapping.policies import EVEN_WEIGHT
from imcevo.problem.codesign import CodesignProblem
from imcevo.problem.config import MappingConfig, PhysicalProblemConfig
from imcevo.problem.constraints import build_constraints, least_snr_dB
from imcevo.problem.hypervolume import HypervolumeBox
from imcevo.problem.objectives import build_objectives
from imcevo.problem.profiles import (
    AnyProblemConfig,
    Bound,
    bind,
    check_known,
    read_problem_config,
    statistics_file,
    unset_bits,
)
from imcevo.problem.quantities import is_maximised
from imcevo.problem.toml_text import to_toml
from imcevo.simulator.interface import Simulator


def load_problem(path: Path | str, *, policy: str | None = None) -> CodesignProblem:
    """Read and check a problem file.

    Args:
        policy: mapping policy instead of the file's, on the physical profile.

    Raises:
        UserError: the first mistake found, with file, key, value and what is allowed.
    """
    file = Path(path)
    config = read_problem_config(file)
    if isinstance(config, PhysicalProblemConfig):
        config = _with_policy(config, policy)
    bound = bind(config, file)
    simulator = bound.simulator
    space = _load_space(config.design_space, simulator, file)
    objectives = build_objectives(
        config.objectives, config.workloads.weights, networks=simulator.networks, file=file
    )
    constraints = build_constraints(
        config.constraints, networks=simulator.networks, required=simulator.required, file=file,
        shortfalls=lambda: _shortfalls(space, simulator), overlapping=_overlapping(config),
        cost_unit=simulator.cost_unit,
    )  # fmt: skip
    simulator = simulator.aiming_at(least_snr_dB(constraints, simulator.networks))
    maximised = [is_maximised(objective.metric) for objective in objectives]
    box = HypervolumeBox.from_config(config.hypervolume, len(objectives), maximised=maximised, file=file)
    resolved = config.model_dump(exclude_none=True)
    for key in unset_bits(config):
        del resolved["precision"][key]
    resolved["workloads"]["networks"] = bound.references
    if config.workloads.statistics is not None:
        measured = dict.fromkeys(key.partition("/")[0] for key in bound.statistics)
        resolved["workloads"]["statistics"] = [statistics_file(network) for network in measured]
    resolved["workloads"].pop("suite", None)
    if bound.cells:
        resolved["model"]["cells"] = "cells"
    companions = bound.companions | {f"cells/{name}": text for name, text in bound.cells.items()}
    resolved["design_space"] = {k: list(v) if len(v) > 1 else v[0] for k, v in space.values.items()}
    return CodesignProblem(
        config.name, config.description, file, _hash(resolved, bound), space, simulator, objectives,
        constraints, box, to_toml(resolved), companions,
    )  # fmt: skip


def _with_policy(config: PhysicalProblemConfig, policy: str | None) -> PhysicalProblemConfig:
    """The file's mapping policy, or another one; the exact mapper minimises about energy x latency if not told else."""
    space = dict(config.design_space)
    if policy is not None and policy != config.mapping.policy:
        config = config.model_copy(update={"mapping": MappingConfig(policy=policy)})
        space.pop(LATENCY_WEIGHT, None)
    if config.mapping.policy == "exact":
        space.setdefault(LATENCY_WEIGHT, EVEN_WEIGHT)
    return config.model_copy(update={"design_space": space})


def _load_space(given: dict[str, Any], simulator: Simulator, file: Path) -> DesignSpace:
    """The design space in canonical order: keys as the simulator lists them, numbers ascending."""
    key = "design_space"
    for name in given:
        parameter(name, file=file, key=f"{key}.{name}")
    require_keys(given, simulator.keys, file=file, key=key)
    space = DesignSpace.from_lists({name: given[name] for name in simulator.keys}, file=file, key=key)
    for name, values in space.values.items():
        for value in values:
            check_known(simulator, name, value, file=file, place=f"{key}.{name}")
    if not space.genes:
        raise UserError(
            "leaves nothing to choose", file=file, key=key, allowed="a list of values for at least one key"
        )
    return DesignSpace(
        {name: v if isinstance(v[0], str) else tuple(sorted(v)) for name, v in space.values.items()}
    )


def _overlapping(config: AnyProblemConfig) -> bool:
    """Whether inferences may overlap in time."""
    if not isinstance(config, PhysicalProblemConfig):
        return False
    return config.deployment.batch > 1 or config.deployment.execution == "pipelined"


def _shortfalls(space: DesignSpace, simulator: Simulator) -> tuple[str, ...]:
    """Names of the simulator's shortfalls, from one simulated design."""
    lowest = DesignSpace({name: values[:1] for name, values in space.values.items()})
    designs = lowest.decode(lowest.upper[None, :])
    return tuple(simulator.simulate(simulator.repair(designs)).shortfalls)


def _hash(resolved: dict[str, Any], bound: Bound) -> str:
    """SHA-256 of what determines results: the resolved file but its prose, layers, own cells, the shipped data."""
    content = {key: value for key, value in resolved.items() if key not in ("name", "description")}
    content["layers"], content["cells"], content["statistics"] = bound.layers, bound.cells, bound.statistics
    content["workloads"] = {key: value for key, value in content["workloads"].items() if key != "statistics"}
    content["data"] = data_version()
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


def data_version() -> str:
    """Hash of the data files shipped with the package (technology, costs, workloads)."""
    digest = hashlib.sha256()
    package = resources.files("imcevo")
    for floor in ("costs", "technology", "workload"):
        for name, content in _data_files(package / floor / "data", floor):
            digest.update(f"{name} {len(content)} ".encode())
            digest.update(content)
    return digest.hexdigest()


def _data_files(folder: Traversable, name: str) -> list[tuple[str, bytes]]:
    if not folder.is_dir():
        return []
    files: list[tuple[str, bytes]] = []
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        path = f"{name}/{entry.name}"
        files += _data_files(entry, path) if entry.is_dir() else [(path, entry.read_bytes())]
    return files
