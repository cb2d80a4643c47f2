"""Calibration: unit costs fitted to reference points by non-negative least squares, with the held-out error beside.

Energy and area are linear in unit costs, so a fit is one small convex problem with a unique answer. Errors are
relative, and a reference point's group (its design) is held out as a whole: other networks of the same design would
tell too much about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from imcevo.errors import UserError

_SPLIT_SEED = 0


@dataclass(frozen=True)
class Calibration:
    """Fitted unit costs.

    Attributes:
        unit_costs: name -> value, in the unit that makes term x unit cost the reference's unit.
        shares: name -> mean share of the reference that the term explains.
        errors: relative error of every point, fitted on all ``[n_points]``.
        held_out_errors: the same, each point predicted by a fit without its group ``[n_points]``.
    """

    unit_costs: Mapping[str, float]
    shares: Mapping[str, float]
    errors: NDArray[np.float64]
    held_out_errors: NDArray[np.float64]


def fit_unit_costs(
    names: Sequence[str],
    terms: NDArray[np.float64],
    reference: NDArray[np.float64],
    groups: NDArray[np.int64],
    *,
    known: NDArray[np.float64] | None = None,
    folds: int = 10,
) -> Calibration:
    """Unit costs c >= 0 that minimise the squared relative errors of ``known + terms @ c`` against `reference`.

    Args:
        names: of the terms.
        terms: ``[n_points, n_terms]``.
        reference: positive ``[n_points]``.
        groups: what is held out together ``[n_points]``.
        known: part of the reference that is not to be fitted ``[n_points]``.
        folds: number of fits for the held-out error; groups are split at random, always the same way.

    Raises:
        UserError: fewer points than terms or fewer groups than folds, or a reference that is not positive.
    """
    if len(reference) < len(names):
        raise UserError(f"{len(reference)} reference points cannot determine {len(names)} unit costs")
    group = np.unique(groups, return_inverse=True)[1]
    n_groups = int(group.max()) + 1
    if n_groups < folds:
        raise UserError(f"{n_groups} designs are too few", allowed=f"at least {folds} designs, for the held-out error")
    if not (reference > 0).all():
        raise UserError("is not positive", key="reference", value=float(reference.min()), allowed="numbers above 0")
    relative = terms / reference[:, None]
    target = np.ones(len(reference)) if known is None else 1.0 - known / reference
    fold = np.random.default_rng(_SPLIT_SEED).permutation(np.arange(n_groups) % folds)[group]
    held_out = np.empty(len(reference))
    for part in range(folds):
        rest = _fit(relative[fold != part], target[fold != part])
        held_out[fold == part] = relative[fold == part] @ rest - target[fold == part]
    costs = _fit(relative, target)
    shares = (relative * costs).mean(axis=0)
    return Calibration(
        dict(zip(names, costs.tolist(), strict=True)), dict(zip(names, shares.tolist(), strict=True)),
        relative @ costs - target, held_out,
    )  # fmt: skip


def _fit(relative: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Non-negative least squares; columns are scaled first, their units differ by many decades."""
    scale = np.abs(relative).max(axis=0)
    scale[scale == 0] = 1.0
    solution, _ = nnls(relative / scale, target, maxiter=100 * relative.shape[1])
    return np.asarray(solution / scale)
