"""The problem file as strict models: what may stand in it. Meaning and cross-checks live beside."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from imcevo.config import StrictModel
from imcevo.errors import did_you_mean, listed
from imcevo.problem.quantities import QUANTITIES, Aggregate
from imcevo.simulator.deployment import Execution, Mode
from imcevo.workload import Precision


def _known_metric(name: str) -> str:
    if name not in QUANTITIES:
        raise ValueError(f"is not a known quantity{did_you_mean(name, QUANTITIES)} (allowed: {listed(QUANTITIES)})")
    return name


Metric = Annotated[str, AfterValidator(_known_metric)]


class WorkloadsConfig(StrictModel):
    """``[workloads]``: what the chip must run.

    Attributes:
        suite: a shipped suite of networks.
        networks: shipped networks or paths of layer CSVs; after those of the suite where there is one.
        weights: of the networks in weighted means, by name.
        statistics: statistics files (`imcevo workloads measure`) that replace stated value distributions.
    """

    suite: str | None = None
    networks: list[str] = Field(default_factory=list)
    weights: dict[str, float] | list[float] | None = None
    statistics: list[str] | None = None


class DeploymentConfig(StrictModel):
    """``[deployment]``: how the networks share the chip; see `imcevo.simulator.Deployment`."""

    mode: Mode
    inferences_per_switch: float | None = None
    inferences_per_programming: float | None = None
    inferences_per_lifetime: float | None = None
    execution: Execution = "sequential"
    batch: int = 1


class MappingConfig(StrictModel):
    """``[mapping]``."""

    policy: str


class ObjectiveConfig(StrictModel):
    """One of ``[[objectives]]``; `aggregate` says how the networks' values become one (area and cost have none)."""

    metric: Metric
    aggregate: Aggregate | None = None


class HypervolumeConfig(StrictModel):
    """``[hypervolume]``: the box that hypervolumes are measured in, in the order of the objectives."""

    scale: Literal["log10", "linear"]
    ideal: list[float]
    reference: list[float]


class ProblemConfig(StrictModel):
    """What every problem file has. The keys of `constraints` and `design_space` are checked by their modules."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    description: str = ""
    workloads: WorkloadsConfig
    objectives: list[ObjectiveConfig]
    constraints: dict[str, Any] = Field(default_factory=dict)
    hypervolume: HypervolumeConfig
    design_space: dict[str, Any]


class PhysicalModel(StrictModel):
    """``[model]`` of the physical profile.

    Attributes:
        cells: folder of the user's own bit cells, one TOML file each, relative to the problem file.
    """

    profile: Literal["physical"]
    cells: str | None = None


class PhysicalProblemConfig(ProblemConfig):
    """A problem on the physical profile."""

    model: PhysicalModel
    precision: Precision
    deployment: DeploymentConfig
    mapping: MappingConfig


class PublishedModel(StrictModel):
    """``[model]`` of the published profile, which fixes precision, deployment and mapping by its memory."""

    profile: Literal["published"]
    memory: Literal["rram", "sram"]


class PublishedProblemConfig(ProblemConfig):
    """A problem on the profile of arXiv 2603.03880."""

    model: PublishedModel
