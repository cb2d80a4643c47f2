"""The box in which hypervolumes of one problem are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.portable.arrays import log10
from imcevo.problem.config import HypervolumeConfig


@dataclass(frozen=True)
class HypervolumeBox:
    """Ideal and reference point ``[n_obj]``, from the problem file: hypervolumes of its runs can be compared.

    Attributes:
        log10: whether objectives are compared by their logarithm; maximised ones (below 0) by minus that of -F.
    """

    ideal: NDArray[np.float64]
    reference: NDArray[np.float64]
    log10: bool

    @classmethod
    def from_config(
        cls, config: HypervolumeConfig, n_obj: int, *, maximised: Sequence[bool] | None = None, file: object = None
    ) -> HypervolumeBox:
        """From ``[hypervolume]``.

        Args:
            maximised: which objectives are (minimised with their sign turned); none of them if left out.

        Raises:
            UserError: a wrong number of entries, a value without logarithm on a logarithmic scale (<= 0, or >= 0 of a
                maximised objective), an ideal not below the reference.
        """
        where = None if file is None else str(file)
        for side, values in (("ideal", config.ideal), ("reference", config.reference)):
            key = f"hypervolume.{side}"
            if len(values) != n_obj:
                raise UserError(
                    f"has {len(values)} entries for {n_obj} objectives",
                    file=where, key=key, value=values, allowed="one number per objective, in their order",
                )  # fmt: skip
            for value, turned in zip(values, maximised or [False] * n_obj, strict=True):
                if config.scale == "log10" and (value >= 0 if turned else value <= 0):
                    side = "below 0 for a maximised objective (minus_...)" if turned else "above 0"
                    raise UserError(
                        "has no logarithm", file=where, key=key, value=value, allowed=f"numbers {side} on a log10 scale"
                    )
        for ideal, reference in zip(config.ideal, config.reference, strict=True):
            if ideal >= reference:
                raise UserError(
                    f"is not below its reference {reference!r}",
                    file=where, key="hypervolume.ideal", value=ideal,
                    allowed="ideal < reference (objectives are minimised)",
                )  # fmt: skip
        return cls(np.array(config.ideal, float), np.array(config.reference, float), config.scale == "log10")

    def normalised(self, F: NDArray[np.float64]) -> NDArray[np.float64]:
        """Objectives ``[n, n_obj]`` on the scale of the box: 0 at the ideal, 1 at the reference point."""
        low, high, values = self.ideal, self.reference, np.asarray(F, dtype=np.float64)
        if self.log10:
            sign = np.sign(low)
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high, values = (sign * log10(sign * v) for v in (low, high, values))
            values = np.where(np.isnan(values), np.inf, values)  # a maximised quantity that is below 0: the worst
        return (values - low) / (high - low)

    def hypervolume(self, F: NDArray[np.float64]) -> float:
        """Share of the box that `F` ``[n, n_obj]`` dominates, 0 to 1.

        Points beyond the reference count nothing; what lies beyond the ideal is cut at the ideal. Pass
        feasible points only.
        """
        if len(F) == 0:
            return 0.0
        points = self.normalised(F)
        points = np.maximum(points[(points < 1).all(axis=1)], 0.0)
        if len(points) == 0:
            return 0.0
        if points.shape[1] == 1:  # moocore measures areas and volumes
            return float(1.0 - points.min())
        return float(moocore.hypervolume(points, ref=np.ones(points.shape[1])))
