"""What belongs to one profile alone: the form of its problem files, its networks, its simulator, its data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from imcevo.accuracy.sources import StatisticsSource
from imcevo.accuracy.statistics_file import read_statistics
from imcevo.config import read_text, read_toml, validated
from imcevo.errors import UserError, listed, unknown_name
from imcevo.hardware import DesignSpace, Value
from imcevo.mapping.policies import mapping_policy
from imcevo.problem.config import PhysicalProblemConfig, PublishedProblemConfig
from imcevo.simulator import Deployment, Simulator, physical_simulator, published_simulator
from imcevo.simulator.design_keys import HYBRID_KEYS, PRECISION_KEYS
from imcevo.technology import load_technology
from imcevo.workload import Network, load_network, load_suite, with_precision
from imcevo.workload.csvfile import LARGEST_CSV_BYTES

AnyProblemConfig = PhysicalProblemConfig | PublishedProblemConfig

_CONFIGS: dict[str, type[AnyProblemConfig]] = {"physical": PhysicalProblemConfig, "published": PublishedProblemConfig}
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


class Bound(NamedTuple):
    """A question's simulator and what its networks are made of.

    Attributes:
        references: the networks as a resolved problem file names them.
        companions: relative path -> content of the users' network and statistics files.
        statistics: ``network/layer`` -> digest of its measured statistics.
        layers: network -> its layers, where these are not among the package's data files.
        cells: file name -> content of the user's bit cells.
    """

    simulator: Simulator
    references: list[str]
    companions: dict[str, str | bytes]
    statistics: dict[str, str]
    layers: dict[str, list[dict[str, Any]]]
    cells: dict[str, str]


def read_problem_config(file: Path) -> AnyProblemConfig:
    """The problem file in the form of its profile.

    Raises:
        UserError: not a problem file, or the first mistake in it.
    """
    data = read_toml(file, what="a problem file")
    model = data.get("model")
    profile = model.get("profile") if isinstance(model, Mapping) else None
    if profile is None:
        raise UserError("this key is missing", file=file, key="model.profile", allowed=listed(_CONFIGS))
    if not isinstance(profile, str) or profile not in _CONFIGS:
        raise unknown_name("profile", profile, _CONFIGS, file=file, key="model.profile")
    return validated(data, _CONFIGS[profile], file=file)


def bind(config: AnyProblemConfig, file: Path) -> Bound:
    """The simulator that a problem file asks for, bound to its networks.

    Raises:
        UserError: an empty suite, an unknown network or one twice, a deployment that is not one.
    """
    key = "workloads.networks"
    given = asked_networks(config, file)
    if not given:
        raise UserError("names no network: the suite is empty", file=file, key=key, value=given, allowed="at least one")
    try:
        if isinstance(config, PublishedProblemConfig):
            bound = _bind_published(config)
        else:
            bound = _bind_physical(config, given, file)
    except UserError as error:
        raise (error if error.file else error.in_file(file)) from None
    for index, name in enumerate(bound.simulator.networks):
        if name in bound.simulator.networks[:index]:
            raise UserError("is in the suite twice", file=file, key=f"{key}[{index}]", value=name)
    return bound


def asked_networks(config: AnyProblemConfig, file: Path) -> list[str]:
    """The networks of the suite, if one is named, and those listed.

    Raises:
        UserError: an unknown suite, or one for the published profile, which has networks of its own.
    """
    suite, key = config.workloads.suite, "workloads.suite"
    if suite is None:
        return list(config.workloads.networks)
    if isinstance(config, PublishedProblemConfig):
        problem = "has no place here: the published profile runs networks of its own"
        raise UserError(problem, file=file, key=key, value=suite, allowed="workloads.networks")
    return [*load_suite(suite, file=file, key=key).networks, *config.workloads.networks]


def _bind_physical(config: PhysicalProblemConfig, asked: Sequence[str], file: Path) -> Bound:
    networks: list[Network] = []
    references: list[str] = []
    companions: dict[str, str | bytes] = {}
    for index, given in enumerate(asked):
        key = f"workloads.networks[{index}]"
        network = load_network(given, relative_to=file.parent, file=file, key=key)
        if not _SAFE_NAME.fullmatch(network.name):
            allowed = "letters, digits, '_', '.', '-'"
            raise UserError("is not a usable network name", key=key, value=network.name, allowed=allowed)
        if given.endswith(".csv"):
            given, path = f"networks/{network.name}.csv", file.parent / given
            companions[given] = read_text(path, what="a network's layer CSV", largest_bytes=LARGEST_CSV_BYTES)
        networks.append(network)
        references.append(given)
    folder = None if config.model.cells is None else file.parent / config.model.cells
    deployment = Deployment(**config.deployment.model_dump())
    policy, technology = mapping_policy(config.mapping.policy), load_technology(folder)
    measured: dict[str, dict[str, StatisticsSource]] = {}
    bits = _chosen_bits(config, file)
    if not bits:
        networks = with_precision(networks, config.precision)
        measured = _measured(config, file, networks, companions)
    simulator = physical_simulator(
        networks, config.precision, deployment, policy, technology, measured, keys=tuple(config.design_space),
        bits=bits, free_outputs="output_bits" in unset_bits(config),
    )  # fmt: skip
    layers = {network.name: [dict(vars(layer)) for layer in network.layers] for network in networks}
    own_cells = sorted(folder.glob("*.toml")) if folder is not None else []
    cells = {path.name: read_text(path, what="a bit cell") for path in own_cells}
    digests = {f"{name}/{layer}": source.digest for name, known in measured.items() for layer, source in known.items()}
    return Bound(simulator, references, companions, digests, layers, cells)


def unset_bits(config: AnyProblemConfig) -> tuple[str, ...]:
    """Keys of ``[precision]`` that designs decide: their genes, and with the inputs' the width of stored outputs."""
    if isinstance(config, PublishedProblemConfig):
        return ()
    chosen = [key for key in PRECISION_KEYS if key in config.design_space]
    if "input_bits" in chosen and "output_bits" not in config.precision.model_fields_set:
        chosen.append("output_bits")
    return tuple(chosen)


def _chosen_bits(config: PhysicalProblemConfig, file: Path) -> dict[str, tuple[int, ...]]:
    """Values of the bits that the design space lists.

    Raises:
        UserError: also given in ``[precision]``, wrong values, or statistics measured at fixed bits.
    """
    given = {key: config.design_space[key] for key in PRECISION_KEYS if key in config.design_space}
    for key in given:
        if key in config.precision.model_fields_set:
            raise UserError("is the design's to choose: design_space lists it", key=f"precision.{key}",
                            value=getattr(config.precision, key), allowed="one of the two places")  # fmt: skip
    hybrid = next((key for key in HYBRID_KEYS if key in config.design_space), None)
    if given and hybrid is not None:
        raise UserError("cannot be combined with bits in design_space", key=f"design_space.{hybrid}",
                        allowed=f"{listed(given)} under [precision]")  # fmt: skip
    if given and config.workloads.statistics:
        raise UserError("are measured at fixed bits, but design_space lists bits", key="workloads.statistics")
    values = DesignSpace.from_lists(given, file=file).values
    return {key: tuple(int(value) for value in values[key]) for key in given}


def _measured(
    config: PhysicalProblemConfig, file: Path, networks: list[Network], companions: dict[str, str | bytes]
) -> dict[str, dict[str, StatisticsSource]]:
    """Statistics of the files that the problem names, which become companions."""
    by_name = {network.name: network for network in networks}
    measured: dict[str, dict[str, StatisticsSource]] = {}
    for index, given in enumerate(config.workloads.statistics or ()):
        path = file.parent / given
        bits = config.precision.input_bits, config.precision.weight_bits
        name, sources = read_statistics(path, by_name, bits)
        if name in measured:
            raise UserError("has statistics twice", key=f"workloads.statistics[{index}]", value=name)
        measured[name] = sources
        companions[statistics_file(name)] = path.read_bytes()
    return measured


def statistics_file(network: str) -> str:
    """Where a resolved problem keeps a network's statistics."""
    return f"statistics/{network}.npz"


def _bind_published(config: PublishedProblemConfig) -> Bound:
    for index, objective in enumerate(config.objectives):
        if objective.metric == "snr_dB":
            raise UserError("is not known to the published profile", key=f"objectives[{index}].metric", value="snr_dB")
    if "snr_dB" in config.constraints:
        raise UserError("is not known to the published profile", key="constraints.snr_dB")
    networks = config.workloads.networks
    if config.workloads.statistics is not None:
        raise UserError("has no meaning for the published profile", key="workloads.statistics")
    return Bound(published_simulator(networks, config.model.memory), list(networks), {}, {}, {}, {})


def check_known(simulator: Simulator, key: str, value: Value, *, file: object = None, place: str) -> None:
    """Check a value in its parameter's range against what the profile has data for.

    Raises:
        UserError: a cell, node, converter or size without data.
    """
    try:
        simulator.check(key, value)
    except UserError as error:
        where = None if file is None else str(file)
        raise UserError(error.problem, file=where, key=place, value=value, allowed=error.allowed) from None
