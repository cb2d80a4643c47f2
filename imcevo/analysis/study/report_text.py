"""What a study's report says in words, every number from its tables."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from imcevo.analysis.statistics import LEVEL, smallest_p
from imcevo.analysis.study.claims import SEARCHED
from imcevo.analysis.study.figures import named
from imcevo.analysis.study.folder import StudyResults
from imcevo.study.config import CertifiedConfig, UncertaintyConfig
from imcevo.technology.exposure_field import too_large_for_one_die

_SIGNIFICANT = 0.05
_FIGURES = {
    "gaps_suite": "Gap of every design on every network: its value with all networks on the chip, over that of the "
    "chip searched for this network alone. 1 is no loss; \"cannot run\": the suite breaks a constraint.",
    "gaps_alone": "The same with each network alone on the chip, as if it were programmed for one network at a time.",
    "efficiency": "Mean energy efficiency over the networks, 2 operations per multiply-accumulate, a mark per seed.",
    "unseen": "Designs on networks they were not searched for.",
    "mixes": "How far every design is above the best one, mix by mix (the axis is linear below 1 %).",
    "fronts": "Non-dominated designs of all seeds, and the designs of the study.",
    "attainment": "Empirical attainment surfaces: what the best, the median and every seed reaches.",
    "placement": "Layers, and their multiply-accumulates, on the chips of the fronts that use both kinds of tiles.",
    "genes": "Genes and results of every design that runs the suite.",
    "breakdown": "Where energy, time and area of the designs go.",
    "sensitivity": "What moving one gene, or one constant of the model, does to the first design.",
    "certified": "Certified optima of the small spaces: what the joint optimum gains over each single-network optimum.",
}  # fmt: skip


def captions(results: StudyResults) -> dict[str, str]:
    """Figure -> caption."""
    moved = f" Constants are divided and multiplied by {results.sensitivity_factor:g}."
    return {**_FIGURES, "sensitivity": _FIGURES["sensitivity"] + moved}


def answers(results: StudyResults, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The study's findings, a sentence each."""
    return [*comparisons(results, tables), *findings(results, tables)]


def _warnings(results: StudyResults) -> list[str]:
    """What a reader must know before the designs are compared."""
    suite = results.suite.drop_duplicates(["design", "seed"])
    warning = too_large_for_one_die(suite["area_m2"]) if len(suite) else None
    return [] if warning is None else [f"Warning: {warning}."]


def comparisons(results: StudyResults, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The first design against every other, in words; the report has them in a table."""
    return _against_baselines(results, tables["comparison"]) if "comparison" in tables else []


def findings(results: StudyResults, tables: dict[str, pd.DataFrame]) -> list[str]:
    """The rest of `answers`."""
    said = _warnings(results)
    said += _gains(results, tables["gains"]) if "gains" in tables else []
    if "comparison" in tables:
        said += _resolved(results, tables["comparison"])
    said += _own(results, tables["own_objective"])
    if "gap_summary" in tables:
        said += _price(results, tables["gap_summary"])
    if "unseen" in tables:
        said += _unseen(results, tables["unseen"])
    if "mixes" in tables:
        said += _mixes(tables)
    if "certified_regret" in tables:
        said.append(_regrets(results, tables["certified_regret"]))
    if "accelerators" in tables:
        said.append(_accelerators(results, tables["accelerators"]))
    return said


def _against_baselines(results: StudyResults, comparison: pd.DataFrame) -> list[str]:
    said = []
    partly = comparison[comparison["baseline_feasible"] < len(results.config.seeds)]["baseline"]
    singles = results.designs[~results.designs["networks"].str.contains(" ")]["design"]
    for quantity, gain, loss in (
        ("TOPS_per_W", "higher", "lower"), (results.config.choice.metric, "lower", "higher"),
    ):  # fmt: skip
        for deployment, words in (("suite", "all networks on one chip"), ("alone", "one network at a time on it")):
            mine = comparison[(comparison["quantity"] == quantity) & (comparison["deployment"] == deployment)]
            if deployment == "alone":  # said only of those that cannot run the suite on every seed
                mine = mine[mine["baseline"].isin(partly)]
            for scope, rows in (
                ("the single-network designs", mine[mine["baseline"].isin(singles)]),
                ("the other designs", mine[~mine["baseline"].isin(singles)]),
            ):
                if rows.empty:
                    continue
                parts = [_ratio_told(row, quantity, gain, loss) for _, row in rows.iterrows()]
                subject = "mean energy efficiency" if quantity == "TOPS_per_W" else named(quantity)
                said.append(f"{results.first} against {scope}, {words}: {subject} is {'; '.join(parts)}.")
    return said


def _ratio_told(row: Any, quantity: str, gain: str, loss: str) -> str:
    if not row["seeds"]:
        return f"not comparable with {row['baseline']}, which cannot run the suite on any seed"
    larger_is_better = quantity == "TOPS_per_W"
    change = row["ratio"] - 1
    better = change > 0 if larger_is_better else change < 0
    sign = 1 if change > 0 else -1
    low, high = sorted(sign * (side - 1) for side in (row["low"], row["high"]))
    sure = f"p = {row['p_holm']:.2g}" + ("" if row["p_holm"] < _SIGNIFICANT else ", not significant")
    return (
        f"{100 * abs(change):.1f} % {gain if better else loss} than of {row['baseline']} "
        f"[{100 * low:.1f}, {100 * high:.1f}] ({sure}; {row['seeds']} seeds)"
    )


def _resolved(results: StudyResults, comparison: pd.DataFrame) -> list[str]:
    """What the model's error on chips leaves of the differences, by the rule of `imcevo front`."""
    if "told_apart" not in comparison:
        return []
    said = []
    for quantity in ("TOPS_per_W", results.config.choice.metric):
        rows = comparison[(comparison["quantity"] == quantity) & (comparison["deployment"] == "suite")]
        rows = rows[rows["seeds"] > 0]
        if rows.empty:
            continue
        factors = {
            f"{factor:.2g} between designs {'of one bit cell' if same else 'of different cells'}"
            for same, factor in zip(rows["same_cell"], rows["model_factor"], strict=True)
        }
        apart, alike = (", ".join(rows[rows["told_apart"] == told]["baseline"]) for told in (True, False))
        said.append(
            f"By its error on chips the model tells a ratio of {named(quantity)} from 1 beyond a factor of "
            f"{' and '.join(sorted(factors, reverse=True))}. Told apart from {results.first}: {apart or 'none'}; "
            f"within the model's error: {alike or 'none'}."
        )
    return said


def _own(results: StudyResults, own: pd.DataFrame) -> list[str]:
    rivals = own.iloc[1:]
    if rivals.empty:
        return []
    beyond = results.designs[results.designs["beyond_space"]]["design"]
    lost = rivals[(rivals["p_worse"] < _SIGNIFICANT) & ~rivals["design"].isin(beyond)]
    other = rivals[(rivals["p_worse"] < _SIGNIFICANT) & rivals["design"].isin(beyond)]["design"]
    head = f"On its own objective, {named(results.config.choice.metric)} over the suite, the search for {results.first}"
    ahead = f" Ahead of it with values that its space does not have: {', '.join(other)}." if len(other) else ""
    if len(lost):
        return [f"{head} is significantly worse than {', '.join(lost['design'])}.{ahead}"]
    seeds = len(results.config.seeds)
    floor = smallest_p(seeds, sides=1)
    note = f" ({seeds} seeds can reach p = {floor:.2g} at best)" if floor > _SIGNIFICANT / len(rivals) else ""
    others = "any other design" + (" of its space" if len(beyond) else "")
    return [f"{head} is not significantly worse than {others}{note}.{ahead}"]


def _price(results: StudyResults, summary: pd.DataFrame) -> list[str]:
    metric = results.config.choice.metric
    mine = summary[(summary["design"] == results.first) & (summary["quantity"] == metric)]
    said: list[str] = []
    before: dict[Any, Any] = {}
    for deployment in ("suite", "alone"):
        rows = mine[mine["deployment"] == deployment].set_index("on")
        if rows.empty or rows["median"].isna().all():
            continue
        middle = rows["median"].to_dict()
        if middle == before:
            continue  # streamed weights: sharing the chip costs nothing
        before = middle
        parts = [f"{network} {middle[network]:.3g}" for network in results.networks]
        words = "all networks on it" if deployment == "suite" else "one network at a time on it"
        said.append(
            f"Price of one chip instead of one per network, {words}: {named(metric)} over the specialised chip's is "
            f"{', '.join(parts)}; geometric mean {middle['geometric_mean']:.3g} "
            f"[{rows['low'].to_dict()['geometric_mean']:.3g}, {rows['high'].to_dict()['geometric_mean']:.3g}]."
        )
    return said


def _unseen(results: StudyResults, table: pd.DataFrame) -> list[str]:
    mine = table[(table["quantity"] == results.config.choice.metric) & table["unseen"]]
    known = mine.dropna(subset=["over_first"])
    failed = sorted(set(mine["design"]) - set(known["design"]))
    said = []
    if len(known):
        worst = max(_rows(known), key=lambda row: float(row["over_first"]))
        middle = known["over_first"].median()
        said.append(
            f"On networks that a design was not searched for, {named(results.config.choice.metric)} is {middle:.3g} "
            f"times that of {results.first} (median of {len(known)} cases), at worst {worst['over_first']:.3g} times "
            f"({worst['design']} on {worst['network']})."
        )
    if failed:
        said.append(f"Cannot run the unseen networks within the constraints: {', '.join(failed)}.")
    return said


def _mixes(tables: dict[str, pd.DataFrame]) -> list[str]:
    best = tables["mixes"][tables["mixes"]["best"]]
    said = ["Best design by mix: " + ", ".join(f"{row['mix']}: {row['design']}" for row in _rows(best)) + "."]
    if "mix_risk" in tables:
        risk = tables["mix_risk"].set_index("design")
        columns = {
            "mean": "mean", "cvar": "conditional value at risk", "worst": "worst case",
            "regret_cvar": "conditional value at risk of the regret",
        }  # fmt: skip
        picks = {words: risk[column].idxmin() for column, words in columns.items()}
        told = ", ".join(f"{words}: {design}" for words, design in picks.items())
        said.append(f"Over mixes as met from day to day the best is: {told}.")
    return said


def _gains(results: StudyResults, gains: pd.DataFrame) -> list[str]:
    """What "up to" comes to, against designs for one network."""
    said = []
    for (scope, joint), mine in gains.groupby(["scope", "joint"], sort=False):
        parts = []
        for row in _rows(mine[mine["runs"] > 0]):
            gained = row["quantity"] == "TOPS_per_W"
            what = "mean energy efficiency gained" if gained else f"{named(row['quantity'])} saved"
            ends = dict.fromkeys((_end_told(row, "least"), _end_told(row, "most")))
            parts.append(f"{what} {'from ' * (len(ends) > 1)}{' to '.join(ends)}")
        counted = _rows(mine)[0]
        against = f"{counted['runs']} design{'s' * (counted['runs'] != 1)} for one network"
        cannot = f" ({counted['cannot_run']} more cannot run all networks)" if counted["cannot_run"] else ""
        head = joint if scope == SEARCHED else f"certified optima of {scope}, {joint},"
        said.append(f"{head} against {against}{cannot}: {'; '.join(parts) or 'none runs all networks'}.")
    return said


def _end_told(row: dict[str, Any], end: str) -> str:
    low, high = row[f"{end}_low"], row[f"{end}_high"]
    interval = f" [{100 * low:.1f}, {100 * high:.1f}]" if math.isfinite(low) else ""
    return f"{100 * row[end]:+.1f} %{interval} ({row[f'{end}_over']})"


def _regrets(results: StudyResults, regret: pd.DataFrame) -> str:
    """How far the searches end above the certified optima, problem by problem."""
    parts = []
    for problem, mine in regret.groupby("problem", sort=False):
        joint = mine["design"].str.startswith("joint")
        told = [
            f"{words} {_percent(rows['regret_median'].min())} to {_percent(rows['regret_median'].max())}"
            for words, rows in (("joint", mine[joint]), ("for one network", mine[~joint]))
        ]
        parts.append(f"{problem}: {', '.join(told)}")
    certified = results.config.certified
    budget = certified.evaluations if isinstance(certified, CertifiedConfig) else 0
    return f"Searches of {budget:,} designs end above the certified optimum by (medians over seeds) {'; '.join(parts)}."


def _accelerators(results: StudyResults, table: pd.DataFrame) -> str:
    suite = results.suite
    own = suite[(suite["design"] == results.first) & (suite["deployment"] == "suite") & suite["feasible"]]["TOPS_per_W"]
    middle = table["TOPS_per_W_8bit"]
    return (
        f"Beside {len(table)} operating points of {table['chip'].nunique()} measured digital accelerators (8-bit "
        f"equivalents, peak, chip alone: median {middle.median():.3g}, quartiles {middle.quantile(0.25):.3g} to "
        f"{middle.quantile(0.75):.3g} TOPS/W) stands {own.median():.3g} TOPS/W of {results.first}, a model's mean over "
        "whole networks with DRAM: an orientation, not a comparison."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if abs(share) < 1 else f"{100 * share:,.0f} %"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def how_made(results: StudyResults) -> list[str]:
    """How the numbers came about."""
    config, made = results.config, results.manifest
    options = ", ".join(f"{key} = {value}" for key, value in config.optimiser.items())
    aggregate = config.choice.aggregate.replace("_", " ")
    return [
        f"Problem {made['problem']} (hash {made['problem_hash'][:12]}), imcevo {made['imcevo']}, model "
        f"{made['model']}.",
        f"Every design is the feasible one with the lowest {named(config.choice.metric)} ({aggregate} of energy and of "
        "latency over the networks it was searched for, multiplied) that a search with this one objective found; a "
        "specialised design is searched the same way on its network alone. No design was handed to a search.",
        f"Search: {options}; {config.budget.evaluations:,} distinct designs per search, the same for every design (in "
        f"sequential design shared by the stages); {len(config.seeds)} seeds.",
        f"Medians over seeds, {LEVEL:.0%} percentile bootstrap intervals of the median, Wilcoxon signed-rank tests "
        "paired by seed, Holm-adjusted over the designs compared. They tell the luck of the searches, not the error of "
        "the model.",
        f"Largest network: the one with the most {config.largest_by}.",
        "`imcevo compare STUDY.toml --from-runs RUNS` makes every table again from the run folders.",
    ]


def limits(results: StudyResults) -> list[str]:
    """What the numbers cannot tell."""
    said = [
        "All designs are priced by a model; a measured chip may differ from it by more than designs from each other.",
        "Layers run one after another, one inference at a time, under one mapping policy for all designs.",
        "Seeds share the model, its constants and the networks: their intervals cover none of these.",
    ]
    factors, stated = results.uncertainty, results.config.uncertainty
    if factors is not None:
        source = stated.source if isinstance(stated, UncertaintyConfig) else "measured, on chips left out of every fit"
        said.append(
            f"Of the model's predictions of chips, 68 % are within a factor of {factors['energy_J']:.3g} (energy), "
            f"{factors['latency_s']:.3g} (latency), {factors['area_m2']:.3g} (area): {source}. In comparison.csv, "
            "correlation_needed is how correlated its errors on two designs must be for it to tell them apart at "
            "95 %: near 0 it always can, near 1 only where they share nearly everything."
        )
    else:
        said.append("The error of this cost profile on chips is not known: which differences hold is not examined.")
    return said
