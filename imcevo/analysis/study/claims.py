"""What a design for all networks gains over designs for one of them: the least and the most, searched and certified."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from imcevo.analysis.study.tables import LARGER_IS_BETTER

SEARCHED = "searched"


def gains_over_single_networks(
    comparison: pd.DataFrame, designs: pd.DataFrame, certified: pd.DataFrame | None, metric: str
) -> pd.DataFrame:
    """What "up to so many percent" comes to: a row per scope, joint design and quantity.

    ``scope``: ``searched``, the study's first design against those searched for one network, all networks on the chip,
    medians over seeds with intervals; or the problem of `certified`, optimum against optimum. ``least`` and ``most``
    are shares of energy efficiency gained, or of `metric` saved, over the baselines that run the suite, with interval
    and ``_over``, the baseline; ``runs`` and ``cannot_run`` count these baselines and those that do not.
    """
    first = designs["design"].iloc[0]
    single = designs[~designs["networks"].str.contains(" ") & (designs["design"] != first)]["design"]
    searched = comparison[(comparison["deployment"] == "suite") & comparison["baseline"].isin(single)]
    parts = [_with_interval(searched.assign(scope=SEARCHED, joint=first))]
    if certified is not None:
        parts.append(certified.rename(columns={"problem": "scope"}).assign(better_low=np.nan, better_high=np.nan))
    columns = ["scope", "joint", "quantity", "baseline", "better", "better_low", "better_high"]
    every = pd.concat([part[columns] for part in parts if len(part)] or [pd.DataFrame(columns=columns)])
    every = every[every["quantity"].isin(("TOPS_per_W", metric))]
    rows = []
    for (scope, joint, quantity), mine in every.groupby(["scope", "joint", "quantity"], sort=False):
        known = mine.dropna(subset=["better"]).sort_values("better", kind="stable")
        row: dict[str, Any] = {"scope": scope, "joint": joint, "quantity": quantity, "runs": len(known)}
        row["cannot_run"] = len(mine) - len(known)
        if len(known):
            for name, end in (("least", known.iloc[0]), ("most", known.iloc[-1])):
                row |= {
                    name: end["better"], f"{name}_low": end["better_low"], f"{name}_high": end["better_high"],
                    f"{name}_over": end["baseline"],
                }  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def _with_interval(comparison: pd.DataFrame) -> pd.DataFrame:
    """The interval of the ratio as one of ``better``."""
    larger = comparison["quantity"].isin(LARGER_IS_BETTER)
    low = np.where(larger, comparison["low"] - 1, 1 - comparison["high"])
    high = np.where(larger, comparison["high"] - 1, 1 - comparison["low"])
    return comparison.assign(better_low=low, better_high=high)
