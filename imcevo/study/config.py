"""The study file: which designs are searched, for which networks, and how they are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from imcevo.config import StrictModel, load_model
from imcevo.errors import UserError, listed, unknown_name
from imcevo.optimise import optimiser_options
from imcevo.problem.config import Aggregate
from imcevo.runs.config import LARGEST_BUDGET, MOST_THREADS, BudgetConfig

ChoiceMetric = Literal["energy_J", "latency_s", "edp_Js", "edap_Jsm2"]
SuiteAggregate = Literal["max", "mean", "geometric_mean"]
_NAME = r"^[A-Za-z0-9][A-Za-z0-9 _.+-]*$"


class ChoiceConfig(StrictModel):
    """``[choice]``: what one design is searched for; products of aggregates as in `imcevo.problem.objectives`."""

    metric: ChoiceMetric
    aggregate: SuiteAggregate


class DesignConfig(StrictModel):
    """One of ``[[designs]]``: a search, or one per network.

    Attributes:
        networks: that it is searched for: all, given ones, ``largest`` (`StudyConfig.largest_by`), ``each`` (a search
            per network, for it alone) or ``each_left_out`` (a search per network, for all others).
        families: instead of `networks`: those of given families, or ``each_left_out``.
        mix: name of the mix whose shares weigh the networks, or ``each`` (a search per mix).
        aggregate: instead of that of ``[choice]``.
        method: ``sequential`` searches `stages` one after another, each keeping what those before it chose; genes that
            no stage has reached stand at `start`. The stages share the budget equally.
        design_space: values instead of the problem's, e.g. ``cell = "sram_digital"``.
        front: search the problem's own objectives too, at the same budget.
    """

    name: str = Field(pattern=_NAME)
    networks: list[str] | Literal["all", "each", "each_left_out", "largest"] = "all"
    families: list[str] | Literal["each_left_out"] | None = None
    mix: str | None = None
    aggregate: SuiteAggregate | None = None
    method: Literal["joint", "sequential"] = "joint"
    stages: list[list[str]] | None = None
    start: Literal["middle", "largest"] | None = None
    design_space: dict[str, Any] = Field(default_factory=dict)
    front: bool = False


class MixConfig(StrictModel):
    """One of ``[[mixes]]``: shares of the inferences by network; `probability` of meeting this mix."""

    name: str = Field(pattern=_NAME)
    shares: dict[str, float]
    probability: float = Field(default=1.0, ge=0)


class ShiftConfig(StrictModel):
    """One of ``[[shifts]]``: a mix that turns into another over time, in `steps` equal steps."""

    start: str
    end: str
    steps: int = Field(ge=2, le=100)


class SpreadConfig(StrictModel):
    """``[spread]``: mixes as met from day to day, Dirichlet distributed around ``[[mixes]]``.

    Attributes:
        concentration: of the Dirichlet distribution; larger is closer to the mix.
        draws: mixes drawn.
        worst_share: the conditional value at risk is the mean over this share of the worst draws.
    """

    concentration: float = Field(gt=0)
    draws: int = Field(default=1000, ge=10, le=100_000)
    worst_share: float = Field(default=0.1, gt=0, le=1)


class UncertaintyConfig(StrictModel):
    """``[uncertainty]``: factor within which 68 % of the model's predictions of chips fall, and how that is known.

    Instead of the measured ones, `imcevo.analysis.uncertainty.value_factors`.
    """

    energy_J: float = Field(ge=1)
    latency_s: float = Field(ge=1)
    area_m2: float = Field(ge=1)
    source: str = Field(min_length=4)


class SensitivityConfig(StrictModel):
    """``[sensitivity]``: of the first design: every gene to its neighbours, every constant times and over `factor`."""

    factor: float = Field(gt=1, le=10)


class CertifiedConfig(StrictModel):
    """``[certified]``: problems small enough to be decided: the joint and every single-network optimum, exactly.

    Attributes:
        problems: problem files, relative to the study file.
        aggregates: the joint designs are optima under each.
        evaluations: of the searches that are held against the optima.
    """

    problems: list[str] = Field(min_length=1)
    aggregates: list[SuiteAggregate] = Field(min_length=1)
    evaluations: int = Field(ge=1, le=LARGEST_BUDGET)


class StudyConfig(StrictModel):
    """A study file; the first of `designs` is held against all others.

    Attributes:
        problem: problem file, relative to the study file; every design is evaluated on its networks.
        question: in words, for the report.
        seeds: one search each; pairs across designs.
        workers: processes, 0 for one per core; results do not depend on it.
        largest_by: what makes a network the largest.
        accelerators: put measured digital accelerators beside.
    """

    problem: str = Field(min_length=1)
    question: str = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    workers: int = Field(default=0, ge=0, le=MOST_THREADS)
    largest_by: Literal["macs", "weights"] = "macs"
    accelerators: bool = False
    choice: ChoiceConfig
    optimiser: dict[str, Any]
    budget: BudgetConfig
    designs: list[DesignConfig] = Field(min_length=1)
    mixes: list[MixConfig] = Field(default_factory=list)
    shifts: list[ShiftConfig] = Field(default_factory=list)
    spread: SpreadConfig | None = None
    uncertainty: UncertaintyConfig | None = None
    sensitivity: SensitivityConfig | None = None
    certified: CertifiedConfig | None = None

    def all_mixes(self) -> dict[str, tuple[dict[str, float], float]]:
        """Name -> shares (sum 1) and probability; the steps of shifts, with probability 0, stand before their end."""
        given = {mix.name: (_normal(mix.shares), mix.probability) for mix in self.mixes}
        ordered: dict[str, tuple[dict[str, float], float]] = {}
        for name, mix in given.items():
            for shift in (shift for shift in self.shifts if shift.end == name):
                first, last = given[shift.start][0], mix[0]
                networks = dict.fromkeys((*first, *last))
                for step in range(1, shift.steps):
                    t = step / shift.steps
                    shares = {n: (1 - t) * first.get(n, 0.0) + t * last.get(n, 0.0) for n in networks}
                    ordered[f"{shift.start} to {shift.end} {t:.2f}"] = (shares, 0.0)
            ordered[name] = mix
        return ordered


class NetworkFacts(StrictModel):
    """What a study needs to know of a network: multiply-accumulates of an inference, weights in arrays, family."""

    macs: int
    weights: int
    family: str


@dataclass(frozen=True)
class Candidate:
    """One search question: a design of the study is what a seed's search for it finds.

    Attributes:
        name: unique, e.g. ``specialised resnet18``.
        entry: the ``[[designs]]`` it came from, and its position there.
        networks: searched for; `left_out` of the suite are not.
        alone: searched for this one network, by an entry that does so for each.
        shares: of the networks, for a weighted mean.
    """

    name: str
    entry: str
    position: int
    networks: tuple[str, ...]
    left_out: tuple[str, ...]
    aggregate: Aggregate
    shares: tuple[float, ...] | None
    stages: tuple[tuple[str, ...], ...]
    start: str
    design_space: Mapping[str, Any]
    front: bool
    alone: bool = False


@dataclass(frozen=True)
class Study:
    """A checked study file."""

    file: Path
    config: StudyConfig

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def problem(self) -> Path:
        return self.file.parent / self.config.problem

    def candidates(self, facts: Mapping[str, NetworkFacts]) -> list[Candidate]:
        """Every search of the study, given the networks of its problem.

        Raises:
            UserError: an unknown network or family, or nothing left to search for.
        """
        found: list[Candidate] = []
        for position, design in enumerate(self.config.designs):
            for candidate in self._expanded(position, design, facts):
                if any(other.name == candidate.name for other in found):
                    self._fail("is the name of two designs", f"designs[{position}].name", candidate.name)
                found.append(candidate)
        return found

    def _expanded(
        self, position: int, design: DesignConfig, facts: Mapping[str, NetworkFacts]
    ) -> list[Candidate]:
        suite = tuple(facts)
        made = []
        for suffix, networks, alone in self._trained_on(position, design, facts):
            for mix, shares in self._weighings(position, design, networks):
                name = " ".join(part for part in (design.name, suffix, mix) if part)
                made.append(Candidate(
                    name, design.name, position, networks, tuple(n for n in suite if n not in networks),
                    "weighted_mean" if shares else design.aggregate or self.config.choice.aggregate, shares,
                    tuple(map(tuple, design.stages or ())), design.start or "middle", design.design_space,
                    design.front, alone,
                ))  # fmt: skip
        return made

    def _trained_on(
        self, position: int, design: DesignConfig, facts: Mapping[str, NetworkFacts]
    ) -> list[tuple[str, tuple[str, ...], bool]]:
        """Suffix of the name, networks, and whether it is an entry for each network alone."""
        suite, key = tuple(facts), f"designs[{position}]"
        if design.families == "each_left_out":
            families = dict.fromkeys(fact.family for fact in facts.values())
            groups = [(f, tuple(n for n in suite if facts[n].family != f)) for f in families]
            if len(groups) < 2:
                self._fail("leaves no family to search for", f"{key}.families", design.families)
            return [(family, networks, False) for family, networks in groups]
        if design.families is not None:
            known = {fact.family for fact in facts.values()}
            for family in design.families:
                if family not in known:
                    raise unknown_name("family of this suite", family, known, file=self.file, key=f"{key}.families")
            return [("", tuple(n for n in suite if facts[n].family in design.families), False)]
        if isinstance(design.networks, list):
            for index, name in enumerate(design.networks):
                if name not in suite:
                    place = f"{key}.networks[{index}]"
                    raise unknown_name("network of the problem", name, suite, file=self.file, key=place)
            if not design.networks or len(set(design.networks)) < len(design.networks):
                self._fail("names no network, or one twice", f"{key}.networks", design.networks)
            return [("", tuple(n for n in suite if n in design.networks), False)]
        if design.networks == "each":
            return [(name, (name,), True) for name in suite]
        if design.networks == "each_left_out":
            if len(suite) < 2:
                self._fail("leaves no network to search for", f"{key}.networks", design.networks)
            return [(name, tuple(n for n in suite if n != name), False) for name in suite]
        if design.networks == "largest":
            return [("", (max(suite, key=lambda n: getattr(facts[n], self.config.largest_by)),), False)]
        return [("", suite, False)]

    def _weighings(
        self, position: int, design: DesignConfig, networks: Sequence[str]
    ) -> list[tuple[str, tuple[float, ...] | None]]:
        if design.mix is None:
            return [("", None)]
        mixes = self.config.all_mixes()
        names = list(mixes) if design.mix == "each" else [design.mix]
        made: list[tuple[str, tuple[float, ...] | None]] = []
        for name in names:
            shares = mixes[name][0]
            if set(shares) != set(networks):
                problem = f"weighs other networks than are searched for: {listed(sorted(set(shares) ^ set(networks)))}"
                self._fail(problem, f"designs[{position}].mix", name)
            made.append((name if design.mix == "each" else "", tuple(shares[n] for n in networks)))
        return made

    def _fail(self, problem: str, key: str, value: object) -> None:
        raise UserError(problem, file=self.file, key=key, value=value)


def load_study(path: Path | str) -> Study:
    """Read and check a study file (not yet its problem).

    Raises:
        UserError: the first mistake found, with file, key, value and what is allowed.
    """
    file = Path(path)
    return Study(file, read_study_config(file))


def read_study_config(file: Path) -> StudyConfig:
    """The content of a study file, checked as far as it can be without its problem; raises as `load_study`."""
    config = load_model(file, StudyConfig, what="a study file")
    given = dict(config.optimiser)
    name = given.pop("name", None)
    if not isinstance(name, str):
        problem = "this key is missing" if name is None else "is not a name (a quoted string)"
        raise UserError(problem, file=file, key="optimiser.name")
    optimiser_options(name, given, file=file)
    for index, seed in enumerate(config.seeds):
        if not 0 <= seed < 2**63:
            raise UserError("is out of range", file=file, key=f"seeds[{index}]", value=seed, allowed="0 to 2^63 - 1")
        if seed in config.seeds[:index]:
            raise UserError("is listed twice", file=file, key=f"seeds[{index}]", value=seed)
    _check_mixes(config, file)
    for index, design in enumerate(config.designs):
        _check_design(design, config, file, f"designs[{index}]")
    return config


def _check_mixes(config: StudyConfig, file: Path) -> None:
    names = [mix.name for mix in config.mixes]
    for index, mix in enumerate(config.mixes):
        key = f"mixes[{index}]"
        if mix.name in names[:index] or mix.name == "each":
            raise UserError("is taken", file=file, key=f"{key}.name", value=mix.name, allowed="each name once")
        if not mix.shares or min(mix.shares.values()) <= 0:
            allowed = "a number above 0 for every network"
            raise UserError("are no shares", file=file, key=f"{key}.shares", value=mix.shares, allowed=allowed)
    if config.mixes and sum(mix.probability for mix in config.mixes) <= 0:
        raise UserError("are all 0", file=file, key="mixes", allowed="a probability above 0")
    for index, shift in enumerate(config.shifts):
        for side in ("start", "end"):
            if getattr(shift, side) not in names:
                key = f"shifts[{index}].{side}"
                raise unknown_name("mix", getattr(shift, side), names, file=file, key=key)
    if config.spread is not None and not config.mixes:
        raise UserError("has no meaning without [[mixes]]", file=file, key="spread")


def _check_design(design: DesignConfig, config: StudyConfig, file: Path, key: str) -> None:
    if design.families is not None and design.networks != "all":
        raise UserError("cannot be combined with networks", file=file, key=f"{key}.families", value=design.families)
    mixes = [mix.name for mix in config.mixes]
    if design.mix is not None and design.mix != "each" and design.mix not in mixes:
        raise unknown_name("mix", design.mix, [*mixes, "each"], file=file, key=f"{key}.mix")
    if design.mix is not None and design.aggregate is not None:
        raise UserError("cannot be combined with a mix", file=file, key=f"{key}.aggregate", value=design.aggregate)
    if (design.method == "sequential") != (design.stages is not None):
        raise UserError(
            "are needed by the method \"sequential\", and by no other", file=file, key=f"{key}.stages",
            value=design.stages, allowed="lists of genes, one per stage",
        )  # fmt: skip
    if design.start is not None and design.method != "sequential":
        raise UserError("has no meaning for this method", file=file, key=f"{key}.start", value=design.start)
    if design.front and design.method == "sequential":
        raise UserError("is not possible in stages", file=file, key=f"{key}.front", value=True)


def _normal(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}
