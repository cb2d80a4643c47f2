"""Certified optima of a study: joint against single-network designs, and searches against both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from imcevo.analysis.study.tables import LARGER_IS_BETTER, suite_table, with_products

_QUANTITIES = ("TOPS_per_W", "energy_J", "latency_s", "edp_Js", "edap_Jsm2")


def certified_comparison(certified: pd.DataFrame) -> pd.DataFrame:
    """Every certified joint optimum against every single-network optimum of its space, over all networks.

    A row per problem, joint design (its aggregate), baseline and quantity: ``ratio`` = joint / baseline and ``better``
    as in `imcevo.analysis.study.tables.comparison_with_baselines`; NaN where the baseline cannot run the suite.
    ``largest``: the baseline is the largest network's design. No interval: both are optima of the model.
    """
    rows: list[dict[str, Any]] = []
    for problem, mine in certified.groupby("problem", sort=False):
        networks = mine[["network", "macs"]].drop_duplicates()
        table = with_products(mine.drop(columns="macs").assign(seed=0), networks)
        joints = mine.loc[mine["entry"] == "joint", ["design", "aggregate"]].drop_duplicates()
        for joint, aggregate in joints.to_numpy():
            suite = suite_table(table, aggregate).set_index("design")
            for baseline in dict.fromkeys(mine.loc[mine["entry"] != "joint", "design"]):
                feasible = bool(suite.loc[baseline, "feasible"])
                for quantity in _QUANTITIES:
                    ratio = suite.loc[joint, quantity] / suite.loc[baseline, quantity] if feasible else np.nan
                    rows.append({
                        "problem": problem, "joint": joint, "baseline": baseline,
                        "largest": bool(mine.loc[mine["design"] == baseline, "largest"].iloc[0]),
                        "quantity": quantity, "ratio": ratio,
                        "better": ratio - 1 if quantity in LARGER_IS_BETTER else 1 - ratio,
                    })  # fmt: skip
    return pd.DataFrame(rows)


def regret_summary(searches: pd.DataFrame) -> pd.DataFrame:
    """How far searches end above the certified optimum: per problem and design, median, range, share that meets it."""
    groups = searches.groupby(["problem", "design"], sort=False)["regret"]
    return groups.agg(
        seeds="count", regret_median="median", regret_min="min", regret_max="max",
        optimum_found=lambda r: float((r <= 0).mean()),
    ).reset_index()  # fmt: skip
