"""Quality of fronts over seeds: hypervolume, IGD+, attainment surfaces. All objectives are minimised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import moocore
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.analysis.pareto import nondominated
from imcevo.problem import HypervolumeBox


def igd_plus(F: NDArray[np.float64], reference: NDArray[np.float64], box: HypervolumeBox) -> float:
    """IGD+ of `F` ``[n, n_obj]`` to the points `reference` ``[m, n_obj]``, on the scale of `box`.

    H. Ishibuchi, H. Masuda, Y. Tanigaki, Y. Nojima, "Modified distance calculation in generational distance and
    inverted generational distance", EMO 2015: mean over the reference points of the distance by which they are missed.
    Infinite for an empty `F`.
    """
    if len(F) == 0:
        return float("inf")
    return float(moocore.igd_plus(box.normalised(F), ref=box.normalised(reference)))


def attainment(
    fronts: Sequence[NDArray[np.float64]], percentiles: Sequence[float] = (0, 50, 100)
) -> dict[float, NDArray[np.float64]]:
    """Percentile -> points ``[n, n_obj]`` of the surface that so many percent of the fronts attain; 2 or 3 objectives.

    0 is what the best run attains anywhere, 50 what half of them attain, 100 what all do. V. Grunert da Fonseca, C. M.
    Fonseca, A. O. Hall, "Inferential performance assessment of stochastic optimisers and the attainment function", EMO
    2001.
    """
    points = np.concatenate(list(fronts))
    sets = np.repeat(np.arange(1, len(fronts) + 1), [len(front) for front in fronts])
    surface = moocore.eaf(points, sets, percentiles=list(percentiles))
    return {p: surface[surface[:, -1] == p][:, :-1] for p in percentiles}


def front_quality(fronts: pd.DataFrame, objectives: Sequence[str], box: HypervolumeBox) -> pd.DataFrame:
    """A row per design and seed of ``fronts.csv``: size, hypervolume in the problem's box, IGD+ to all fronts' best."""
    F = fronts[list(objectives)].to_numpy(dtype=np.float64)
    reference = F[nondominated(F)]
    rows = []
    for (design, seed), mine in fronts.groupby(["design", "seed"], sort=False):
        own = mine[list(objectives)].to_numpy(dtype=np.float64)
        rows.append({
            "design": design, "seed": seed, "front_size": len(own), "hypervolume": box.hypervolume(own),
            "igd_plus": igd_plus(own, reference, box),
        })  # fmt: skip
    return pd.DataFrame(rows)


def projected(fronts: Mapping[int, NDArray[np.float64]], pair: tuple[int, int]) -> list[NDArray[np.float64]]:
    """The non-dominated points of every front in two of its objectives."""
    kept = []
    for F in fronts.values():
        flat = F[:, list(pair)]
        kept.append(flat[nondominated(flat)])
    return kept
