"""The experiment file: how a problem is searched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from imcevo.config import StrictModel, load_model
from imcevo.errors import UserError
from imcevo.optimise import optimiser_entry, optimiser_options
from imcevo.problem.toml_text import to_toml

LARGEST_BUDGET = 100_000_000
MOST_THREADS = 1024
MOST_ISLANDS = 256
LARGEST_EPOCH = 2_000_000  # designs that all islands evaluate between two migrations; bounds the memory


class BudgetConfig(StrictModel):
    """``[budget]``: `evaluations` counts distinct designs."""

    evaluations: int = Field(ge=1, le=LARGEST_BUDGET)


class IslandsConfig(StrictModel):
    """``[islands]``: searches of one run side by side, in a ring.

    Attributes:
        count: islands, each with the optimiser's population.
        interval: generations between migrations.
        migrants: designs that each island sends to the next one.
    """

    count: int = Field(ge=1, le=MOST_ISLANDS)
    interval: int = Field(default=20, ge=1, le=100_000)
    migrants: int = Field(default=5, ge=0, le=1000)


class ExperimentConfig(StrictModel):
    """An experiment file.

    Attributes:
        problem: path of the problem file, relative to the experiment file.
        seeds: one run each.
        threads: of the simulator, 0 for all cores; results do not depend on it.
        baselines: optimisers that run beside at the same seeds, budget and population, their options at the
            default.
        optimiser: `name`, and the options of that optimiser.
        islands: None for one population.
    """

    problem: str = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    threads: int = Field(default=0, ge=0, le=MOST_THREADS)
    baselines: list[str] = Field(default_factory=list)
    optimiser: dict[str, Any]
    islands: IslandsConfig | None = None
    budget: BudgetConfig


@dataclass(frozen=True)
class RunSpec:
    """One run of an experiment: an optimiser with its options, a seed, the folder below, islands or none."""

    optimiser: str
    options: StrictModel
    seed: int
    folder: str
    islands: IslandsConfig | None = None

    @property
    def search_hash(self) -> str:
        """SHA-256 (hex) of all but optimiser and seed that the results depend on."""
        chosen = self.options.model_dump()
        if self.islands is not None:
            chosen["islands"] = self.islands.model_dump()
        return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Experiment:
    """A checked experiment file; see `ExperimentConfig`."""

    file: Path
    problem: Path
    seeds: tuple[int, ...]
    threads: int
    evaluations: int
    optimiser: str
    options: StrictModel
    baselines: tuple[tuple[str, StrictModel], ...]
    islands: IslandsConfig | None = None

    @property
    def name(self) -> str:
        return self.file.stem

    def runs(self) -> list[RunSpec]:
        """All runs: ``<seed>`` of the optimiser under test, then ``<baseline>/<seed>``."""
        main = [RunSpec(self.optimiser, self.options, seed, str(seed), self.islands) for seed in self.seeds]
        return main + [
            RunSpec(name, options, seed, f"{name}/{seed}", self.islands)
            for name, options in self.baselines
            for seed in self.seeds
        ]

    def resolved_toml(self, run: RunSpec | None = None) -> str:
        """The experiment with every default written out, its problem beside it; of one run only if given."""
        optimiser, options = (run.optimiser, run.options) if run else (self.optimiser, self.options)
        islands = {} if self.islands is None else {"islands": self.islands.model_dump()}
        return to_toml({
            "problem": "problem.toml",
            "seeds": [run.seed] if run else list(self.seeds),
            "threads": self.threads,
            "baselines": [] if run else [name for name, _ in self.baselines],
            "optimiser": {"name": optimiser, **options.model_dump()},
            **islands,
            "budget": {"evaluations": self.evaluations},
        })  # fmt: skip


def load_experiment(path: Path | str, *, seeds: Sequence[int] | None = None) -> Experiment:
    """Read and check an experiment file (not yet its problem).

    Args:
        seeds: instead of the file's.

    Raises:
        UserError: the first mistake found, with file, key, value and what is allowed.
    """
    file = Path(path)
    config = load_model(file, ExperimentConfig, what="an experiment file")
    given = dict(config.optimiser)
    name = given.pop("name", None)
    if not isinstance(name, str):
        problem = "this key is missing" if name is None else "is not a name (a quoted string)"
        raise UserError(problem, file=file, key="optimiser.name")
    optimiser_entry(name, file=file)
    options = optimiser_options(name, given, file=file)
    population = options.model_dump()["population"]
    if config.islands is not None:
        epoch = config.islands.count * config.islands.interval * population
        if epoch > LARGEST_EPOCH:
            allowed = f"count x interval x population of at most {LARGEST_EPOCH}"
            raise UserError("makes too long an epoch", file=file, key="islands", value=epoch, allowed=allowed)
    baselines = []
    for index, other in enumerate(config.baselines):
        key = f"baselines[{index}]"
        optimiser_entry(other, file=file, key=key)
        if other == name or other in config.baselines[:index]:
            raise UserError("runs already", file=file, key=key, value=other, allowed="each optimiser once")
        baselines.append((other, optimiser_options(other, {"population": population}, file=file, key=key)))
    chosen = list(config.seeds) if seeds is None else list(seeds)
    for index, seed in enumerate(chosen):
        key = f"seeds[{index}]" if seeds is None else "--seed"
        if not 0 <= seed < 2**63:
            raise UserError("is out of range", file=file, key=key, value=seed, allowed="0 to 2^63 - 1")
        if seed in chosen[:index]:
            raise UserError("is listed twice", file=file, key=key, value=seed)
    return Experiment(
        file, file.parent / config.problem, tuple(chosen), config.threads, config.budget.evaluations, name,
        options, tuple(baselines), config.islands,
    )  # fmt: skip
