"""How far the certified optima depend on the fitted cost model: the spaces decided again under refits of it.

A certified optimum is certified for the fitted model. RRAM is refitted to bootstrap resamples of the designs of the
shipped sample; the SRAM tables, which nothing was fitted for, are scaled by independent factors of the size of their
error. Feasibility, area and latency do not depend on the unit costs of energy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.reproduce.published_spaces import SPACES, DecidedSpace
from imcevo.calibrate.published import calibrate_published
from imcevo.costs.published import PublishedCosts
from imcevo.optimise.optima import SCALARS
from imcevo.simulator.published import PublishedSimulator
from imcevo.validate.published.points import sample_points

OBJECTIVES = ("ela", "ela_mean", "el")
# 95th percentile of the error of SRAM energies on published points, as one standard deviation
# (docs/reference/published.md).
TABLE_ERROR = 0.03
_LARGEST_DRAW = 3.0  # standard deviations at which draws are cut, so that few designs can become the optimum
_SEED = 0


def refits_table(spaces: Mapping[str, DecidedSpace], refits: int) -> pd.DataFrame:
    """A row per space and objective: how the optimum moves over `refits` refits.

    ``same_design``: share of refits with the same optimal design; ``designs``: different optimal designs;
    ``value_*``: the refitted optimum over the certified one, quantiles; ``regret_*``: how much worse than the refitted
    optimum the certified design is under the refit.
    """
    rows = []
    for name in SPACES:
        space = spaces[name]
        rram = space.simulator.memory == "rram"
        costs = list((_bootstrapped if rram else _scaled)(refits))
        X = space.near_optimal(OBJECTIVES, np.inf if rram else _reach())
        values = _values(space, X, costs)
        method = "bootstrap refit of RRAM unit costs" if rram else f"SRAM tables x log-normal {TABLE_ERROR:g}"
        for objective in OBJECTIVES:
            certified = int(np.flatnonzero((space.optimal_genome(objective) == X).all(axis=1))[0])
            spread = _spread(values[objective], certified, space.optimum(objective))
            rows.append({"space": name, "objective": objective, "method": method, "refits": refits, **spread})
    return pd.DataFrame(rows)


def _values(
    space: DecidedSpace, X: NDArray[np.int64], refits: Sequence[PublishedCosts]
) -> dict[str, NDArray[np.float64]]:
    """Objectives of the genomes `X` under every refit, each ``[n_refits, n_genomes]``."""
    designs, values = space.problem.decode(X), {objective: np.empty((len(refits), len(X))) for objective in OBJECTIVES}
    for row, costs in enumerate(refits):
        simulator = PublishedSimulator(space.problem.networks, costs.memory, {costs.node_nm: costs})
        metrics = simulator.simulate(designs)
        for objective in OBJECTIVES:
            values[objective][row] = SCALARS[objective].of(metrics)
    return values


def _spread(values: NDArray[np.float64], certified: int, optimum: float) -> dict[str, float]:
    """Figures of `values` ``[n_refits, n_designs]``, the certified design in column `certified`."""
    best = values.min(axis=1)
    regret = values[:, certified] / best - 1.0
    low, middle, high = np.quantile(best / optimum, (0.05, 0.5, 0.95))
    return {
        "same_design": float((regret == 0).mean()), "designs": float(len(set(values.argmin(axis=1).tolist()))),
        "value_p05": low, "value_median": middle, "value_p95": high, "regret_median": float(np.median(regret)),
        "regret_p95": float(np.quantile(regret, 0.95)), "regret_max": float(regret.max()),
    }  # fmt: skip


def _bootstrapped(refits: int) -> Iterator[PublishedCosts]:
    """RRAM unit costs fitted to as many designs as the sample has, drawn from it with replacement."""
    points = sample_points().of("rram", 32)
    design = points.design_numbers()
    rng = np.random.default_rng(_SEED)
    for _ in range(refits):
        drawn = rng.integers(0, design.max() + 1, size=design.max() + 1)
        rows = np.concatenate([np.flatnonzero(design == number) for number in drawn])
        yield PublishedCosts("rram", 32, calibrate_published(points.take(rows), "rram", 32).energy.unit_costs)


def _scaled(refits: int) -> Iterator[PublishedCosts]:
    """SRAM unit costs, each times a factor of its own."""
    shipped = PublishedCosts("sram").constants
    rng = np.random.default_rng(_SEED)
    for _ in range(refits):
        draws = np.clip(rng.standard_normal(len(shipped)), -_LARGEST_DRAW, _LARGEST_DRAW)
        factors = np.exp(TABLE_ERROR * draws)
        yield PublishedCosts("sram", 32, {k: v * f for (k, v), f in zip(shipped.items(), factors, strict=True)})


def _reach() -> float:
    """No design further than this from the optimum can become it: every energy moves by less than the factors do.

    Energies are sums of counts times unit costs, at the placement of loops that is cheapest, so that factors between
    1 / f and f move every energy, and every objective, by a factor between 1 / f and f.
    """
    return float(np.exp(2 * TABLE_ERROR * _LARGEST_DRAW))
