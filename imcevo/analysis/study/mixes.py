"""Designs under mixes of networks: energy and delay of an inference drawn from the mix, its worst case and risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.statistics import conditional_value_at_risk, median_interval
from imcevo.study.config import SpreadConfig

Mixes = Mapping[str, tuple[Mapping[str, float], float]]
_SEED = 20260
# Which powers of energy, latency and area make a quantity; area is of the chip, whatever the mix.
_POWERS: dict[str, tuple[int, int, int]] = {
    "energy_J": (1, 0, 0), "latency_s": (0, 1, 0), "edp_Js": (1, 1, 0), "edap_Jsm2": (1, 1, 1),
}  # fmt: skip


def mix_table(metrics: pd.DataFrame, mixes: Mixes, quantity: str) -> pd.DataFrame:
    """A row per mix and design that runs the suite: median over seeds of `quantity`, with interval.

    Energy and latency are means over inferences drawn from the mix; products are products of these. ``regret`` = median
    over the best design's, minus 1; ``best``: it is that design.
    """
    rows: list[dict[str, Any]] = []
    for mix, (shares, probability) in mixes.items():
        values = _values(metrics, np.array([[shares[n] for n in dict.fromkeys(metrics["network"])]]), quantity)
        middles = {design: median_interval(found[:, 0]) for design, found in values.items()}
        lowest = min(middle.median for middle in middles.values())
        rows += [
            {
                "mix": mix, "probability": probability, "design": design, "quantity": quantity,
                "median": middle.median, "low": middle.low, "high": middle.high,
                "regret": middle.median / lowest - 1.0, "best": middle.median == lowest,
            }
            for design, middle in middles.items()
        ]  # fmt: skip
    return pd.DataFrame(rows)


def risk_table(metrics: pd.DataFrame, mixes: Mixes, quantity: str, spread: SpreadConfig) -> pd.DataFrame:
    """A row per design that runs the suite: `quantity` over mixes as met from day to day.

    Every draw takes a mix by its probability and Dirichlet distributed shares around it; per seed ``mean``, ``worst``
    and ``cvar`` (the mean over the worst share) over the draws, and the same of the ``regret``, how far the design is
    above the best of all designs on that day (same seed). Medians over seeds.
    """
    networks = list(dict.fromkeys(metrics["network"]))
    values = _values(metrics, _drawn(mixes, networks, spread), quantity)
    seeds = min(len(found) for found in values.values())
    best = np.min([found[:seeds] for found in values.values()], axis=0)
    p = np.full(spread.draws, 1.0 / spread.draws)
    rows = []
    for design, found in values.items():
        regret = found[:seeds] / best - 1.0
        row: dict[str, Any] = {"design": design, "quantity": quantity, "seeds": len(found)}
        for name, table in (("", found), ("regret_", regret)):
            row[f"{name}mean"] = float(np.median(table.mean(axis=1)))
            row[f"{name}cvar"] = float(np.median([conditional_value_at_risk(v, p, spread.worst_share) for v in table]))
            row[f"{name}worst"] = float(np.median(table.max(axis=1)))
        rows.append(row)
    table = pd.DataFrame(rows)
    for column in ("mean", "cvar", "worst", "regret_mean", "regret_cvar", "regret_worst"):
        table[f"least_{column}"] = table[column] == table[column].min()
    return table


def _drawn(mixes: Mixes, networks: list[str], spread: SpreadConfig) -> NDArray[np.float64]:
    """Shares ``[n_draws, n_networks]``."""
    rng = np.random.default_rng(_SEED)
    met = [(shares, p) for shares, p in mixes.values() if p > 0]
    total = sum(p for _, p in met)
    which = rng.choice(len(met), size=spread.draws, p=[p / total for _, p in met])
    centres = np.array([[shares[network] for network in networks] for shares, _ in met])
    gamma = rng.standard_gamma(spread.concentration * centres[which])
    return np.asarray(gamma / gamma.sum(axis=1, keepdims=True))


def _values(metrics: pd.DataFrame, shares: NDArray[np.float64], quantity: str) -> dict[str, NDArray[np.float64]]:
    """Design -> `quantity` ``[n_seeds, n_mixes]`` for `shares` ``[n_mixes, n_networks]``; feasible seeds only."""
    suite = metrics[metrics["deployment"] == "suite"]
    networks = list(dict.fromkeys(metrics["network"]))
    found = {}
    for design, mine in suite.groupby("design", sort=False):
        fit = mine[mine["feasible"]]
        if fit.empty:
            continue
        energy, latency, area = (
            fit.pivot(index="seed", columns="network", values=name)[networks].to_numpy()
            for name in ("energy_J", "latency_s", "area_m2")
        )
        e, s, a = _POWERS[quantity]
        found[str(design)] = (energy @ shares.T) ** e * (latency @ shares.T) ** s * area[:, :1] ** a
    return found
