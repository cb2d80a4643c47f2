"""Tables of a study, made from its measured ones: gaps, comparisons, own objectives, unseen networks. Tidy frames.

Ratios are paired by seed; medians over seeds have bootstrap intervals (`imcevo.analysis.statistics`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from imcevo.analysis.statistics import correlation_needed, holm, median_interval, paired_p
from imcevo.analysis.uncertainty import MEASURED, cells_of, ratio_factor
from imcevo.units import OPERATIONS_PER_MAC, TERA

# Quantities per network, and the quantities whose uncertainty they carry.
FACTORS: dict[str, tuple[str, ...]] = {
    "energy_J": ("energy_J",),
    "latency_s": ("latency_s",),
    "area_m2": ("area_m2",),
    "edp_Js": ("energy_J", "latency_s"),
    "edap_Jsm2": ("energy_J", "latency_s", "area_m2"),
    "TOPS_per_W": ("energy_J",),
}
LARGER_IS_BETTER = ("TOPS_per_W",)


def with_products(metrics: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """`metrics` with ``edp_Js``, ``edap_Jsm2`` and ``TOPS_per_W`` (2 operations per MAC) of every network."""
    table = metrics.merge(networks[["network", "macs"]], on="network", how="left", validate="many_to_one")
    table["edp_Js"] = table["energy_J"] * table["latency_s"]
    table["edap_Jsm2"] = table["edp_Js"] * table["area_m2"]
    table["TOPS_per_W"] = OPERATIONS_PER_MAC * table["macs"] / table["energy_J"] / TERA
    return table


def gap_table(metrics: pd.DataFrame, designs: pd.DataFrame) -> pd.DataFrame:
    """Every design on every network over the network's specialised design, quantity by quantity.

    A row per design, seed, deployment, network and quantity: ``value``, ``reference`` (the same seed's design that was
    searched for this network alone, with the chip for itself), ``gap`` = value / reference. NaN where the design cannot
    run the network, or in ``suite`` not all networks together. Empty without specialised designs.
    """
    quantities = [name for name in FACTORS if name != "TOPS_per_W"]
    keys = ["design", "entry", "seed", "deployment", "network"]
    tidy = metrics.melt(id_vars=[*keys, "feasible"], value_vars=quantities, var_name="quantity", value_name="value")
    alone = designs[designs["alone"]][["design", "networks"]].drop_duplicates()
    # Of several entries for each network, the first.
    own = alone.drop_duplicates("networks").rename(columns={"networks": "network"})
    reference = tidy[(tidy["deployment"] == "alone") & tidy["feasible"]].merge(own, on=["design", "network"])
    reference = reference[["seed", "network", "quantity", "value"]].rename(columns={"value": "reference"})
    gaps = tidy.merge(reference, on=["seed", "network", "quantity"], how="left" if len(own) else "inner")
    gaps["value"] = gaps["value"].where(gaps["feasible"])
    gaps["gap"] = gaps["value"] / gaps["reference"]
    return gaps.drop(columns="feasible")


def gap_summary(gaps: pd.DataFrame) -> pd.DataFrame:
    """Per design, deployment and quantity: medians over seeds with intervals.

    ``on``: a network, or ``max``, ``mean``, ``geometric_mean`` of the gaps over networks, or ``spread``, the largest
    over the smallest gap (1 is a chip that serves all networks equally well).
    """
    rows: list[dict[str, Any]] = []
    for (design, deployment, quantity), mine in gaps.groupby(["design", "deployment", "quantity"], sort=False):
        wide = mine.pivot(index="seed", columns="network", values="gap")
        wide = wide[list(dict.fromkeys(mine["network"]))]
        parts = {name: wide[name] for name in wide}
        complete = wide[wide.notna().all(axis=1)]
        parts |= {
            "max": complete.max(axis=1), "mean": complete.mean(axis=1),
            "geometric_mean": np.exp(np.log(complete).mean(axis=1)),
            "spread": complete.max(axis=1) / complete.min(axis=1),
        }  # fmt: skip
        for name, values in parts.items():
            middle = median_interval(values)
            rows.append({
                "design": design, "deployment": deployment, "quantity": quantity, "on": name,
                "median": middle.median, "low": middle.low, "high": middle.high, "seeds": int(values.notna().sum()),
            })  # fmt: skip
    return pd.DataFrame(rows, columns=["design", "deployment", "quantity", "on", "median", "low", "high", "seeds"])


def suite_table(metrics: pd.DataFrame, aggregate: str) -> pd.DataFrame:
    """A row per design, seed and deployment: the suite as a whole.

    ``energy_J``, ``latency_s`` aggregated over networks, ``area_m2``, their products (of aggregates);
    ``TOPS_per_W``, the mean over networks; ``TOPS_per_W_total``, all operations over all energy; ``TOPS_per_W_spread``,
    the largest over the smallest. ``feasible``: all of it.
    """
    over: dict[str, Any] = {"max": "max", "mean": "mean", "geometric_mean": lambda x: np.exp(np.log(x).mean())}
    groups = metrics.groupby(["design", "entry", "seed", "deployment"], sort=False)
    table = groups.agg(
        energy_J=("energy_J", over[aggregate]), latency_s=("latency_s", over[aggregate]), area_m2=("area_m2", "first"),
        TOPS_per_W=("TOPS_per_W", "mean"), macs=("macs", "sum"), total_J=("energy_J", "sum"),
        largest=("TOPS_per_W", "max"), smallest=("TOPS_per_W", "min"), feasible=("feasible", "all"),
    ).reset_index()  # fmt: skip
    table["edp_Js"] = table["energy_J"] * table["latency_s"]
    table["edap_Jsm2"] = table["edp_Js"] * table["area_m2"]
    table["TOPS_per_W_total"] = OPERATIONS_PER_MAC * table["macs"] / table["total_J"] / TERA
    table["TOPS_per_W_spread"] = table["largest"] / table["smallest"]
    if "cost" in metrics:
        table["cost"] = groups["cost"].first().to_numpy()
    return table.drop(columns=["macs", "total_J", "largest", "smallest"])


def comparison_with_baselines(
    suite: pd.DataFrame, designs: pd.DataFrame, uncertainty: Mapping[str, float] | None
) -> pd.DataFrame:
    """The first design against every other, over all networks: a row per baseline, deployment and quantity.

    ``ratio`` = first / baseline, the median over seeds on which both are feasible, with interval; ``better``: share by
    which the first is better (energy efficiency gained, or EDAP saved; negative if it is worse); ``p``: two-sided
    Wilcoxon test, ``p_holm`` over the baselines; ``seeds`` compared, and ``baseline_feasible``, on how many seeds the
    baseline runs.

    With `uncertainty` (column -> factor within which 68 % of the predictions of chips fall) further
    ``correlation_needed`` (`imcevo.analysis.statistics.correlation_needed`); ``same_cell``, whether both have one bit
    cell on every seed compared; ``model_factor``, the ratio up to which the model cannot tell such two designs apart
    (`imcevo.analysis.uncertainty.ratio_factor`); and ``told_apart``, whether the ratio is beyond it.
    """
    first = suite["design"].iloc[0]
    cells = cells_of(designs.set_index(["design", "seed"]))
    rows: list[dict[str, Any]] = []
    for deployment, mine in suite.groupby("deployment", sort=False):
        own = mine[mine["design"] == first].set_index("seed")
        for quantity, carried in {**FACTORS, **({"cost": ("area_m2",)} if "cost" in suite else {})}.items():
            block = []
            for baseline in [name for name in dict.fromkeys(mine["design"]) if name != first]:
                other = mine[mine["design"] == baseline].set_index("seed").reindex(own.index)
                both = own["feasible"] & other["feasible"].eq(True)
                ratio = (own[quantity] / other[quantity])[both]
                middle = median_interval(ratio)
                better = middle.median - 1 if quantity in LARGER_IS_BETTER else 1 - middle.median
                row = {
                    "baseline": baseline, "deployment": deployment, "quantity": quantity, "ratio": middle.median,
                    "low": middle.low, "high": middle.high, "better": better,
                    "p": paired_p(own[quantity][both], other[quantity][both]) if both.any() else np.nan,
                    "seeds": int(both.sum()), "baseline_feasible": int(other["feasible"].eq(True).sum()),
                }  # fmt: skip
                if uncertainty is not None:
                    seeds = both[both].index
                    same_cell = bool((cells[first][seeds] == cells[baseline][seeds]).all())
                    factor = ratio_factor((MEASURED[column] for column in carried), same_cell=same_cell)
                    row |= {
                        "correlation_needed": correlation_needed(middle.median, [uncertainty[f] for f in carried]),
                        "same_cell": same_cell, "model_factor": factor,
                        "told_apart": bool(abs(np.log(middle.median)) > np.log(factor)),
                    }  # fmt: skip
                block.append(row)
            for row, adjusted in zip(block, holm([float(row["p"]) for row in block]), strict=True):
                rows.append({**row, "p_holm": adjusted})
    return pd.DataFrame(rows)


def own_objective_table(suite: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Whether the first design's search lost on its own objective, `metric` over the suite: a row per design.

    Medians over seeds (infinite where most seeds cannot run the suite); ``p_worse``: one-sided Wilcoxon test that the
    first is worse, over paired seeds, infeasible designs worse than all others; ``p_better`` the other way round; both
    Holm-adjusted over the designs.
    """
    mine = suite[suite["deployment"] == "suite"]
    wide = mine.assign(value=mine[metric].where(mine["feasible"], np.inf)).pivot(
        index="seed", columns="design", values="value"
    )
    names = list(dict.fromkeys(mine["design"]))
    first = wide[names[0]]
    others = names[1:]
    worse = holm([paired_p(first, wide[name], alternative="greater") for name in others])
    better = holm([paired_p(first, wide[name], alternative="less") for name in others])
    rows = [{"design": names[0], "median": float(np.median(first)), "best": float(first.min())}]
    rows += [
        {
            "design": name, "median": float(np.median(wide[name])), "best": float(wide[name].min()),
            "feasible_seeds": int(np.isfinite(wide[name]).sum()), "p_worse": w, "p_better": b,
            "not_significantly_worse": w >= 0.05,
        }
        for name, w, b in zip(others, worse, better, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def unseen_table(metrics: pd.DataFrame, designs: pd.DataFrame, quantities: Iterable[str]) -> pd.DataFrame:
    """How designs fare on networks that they were not searched for.

    A row per design that left networks out (those searched for the same one network as a specialised design excepted),
    network and quantity: ``unseen``, whether the network was left out;
    ``over_first``: value over that of the first design, which was searched for all; ``over_specialised``: over that of
    the network's own design with the chip for itself. Medians over seeds, with intervals for the first ratio and a
    two-sided Wilcoxon test of it.
    """
    first = metrics["design"].iloc[0]
    left_out = {
        str(row["design"]): set(str(row["left_out"]).split()) if isinstance(row["left_out"], str) else set()
        for _, row in designs.drop_duplicates("design").iterrows()
    }
    alone = designs[designs["alone"]].drop_duplicates("networks").set_index("networks")["design"].to_dict()
    fit = metrics[metrics["feasible"]]
    suite = fit[fit["deployment"] == "suite"].set_index(["design", "network"])
    own = fit[fit["deployment"] == "alone"].set_index(["design", "network"])
    rows: list[dict[str, Any]] = []
    searched_for = designs.drop_duplicates("design").set_index("design")["networks"]
    for design, unseen in left_out.items():
        if not unseen or searched_for[design] in alone:
            continue
        for network in dict.fromkeys(metrics["network"]):
            for quantity in quantities:
                value, base = (_seeds(suite, name, network, quantity) for name in (design, first))
                ratio = (value / base).dropna()
                middle = median_interval(ratio)
                special = _seeds(own, alone[network], network, quantity) if network in alone else value * np.nan
                rows.append({
                    "design": design, "network": network, "unseen": network in unseen, "quantity": quantity,
                    "over_first": middle.median, "low": middle.low, "high": middle.high,
                    "p": paired_p(value[ratio.index], base[ratio.index]) if len(ratio) else np.nan,
                    "over_specialised": median_interval(value / special).median, "seeds": len(ratio),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _seeds(table: pd.DataFrame, design: str, network: str, quantity: str) -> pd.Series:
    """Values by seed; empty where the design does not run the network."""
    mine = table[(table.index.get_level_values(0) == design) & (table.index.get_level_values(1) == network)]
    return mine.set_index("seed")[quantity].astype(np.float64)
