"""The box in which hypervolumes of one problem are measured."""

from __future__ import annotations

from dataclasses import dataclass

import moocore
import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.problem.config import HypervolumeConfig


@dataclass(frozen=True)
class HypervolumeBox:
    """Ideal and reference point ``[n_obj]``, from the problem file: hypervolumes of its runs can be compared.

    Attributes:
        log10: whether objectives are compared by their logarithm.
    """

    ideal: NDArray[np.float64]
    reference: NDArray[np.float64]
    log10: bool

    @classmethod
    def from_config(cls, config: HypervolumeConfig, n_obj: int, *, file: object = None) -> HypervolumeBox:
        """From ``[hypervolume]``.

        Raises:
            UserError: a wrong number of entries, a value <= 0 on a logarithmic scale, an ideal not
                below the reference.
        """
        where = None if file is None else str(file)
        for side, values in (("ideal", config.ideal), ("reference", config.reference)):
            key = f"hypervolume.{side}"
            if len(values) != n_obj:
                raise UserError(
                    f"has {len(values)} entries for {n_obj} objectives",
                    file=where, key=key, value=values, allowed="one number per objective, in their order",
                )  # fmt: skip
            for value in values:
                if config.scale == "log10" and value <= 0:
                    raise UserError(
                        "has no logarithm",
                        file=where,
                        key=key,
                        value=value,
                        allowed="numbers above 0 on a log10 scale",
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
            low, high, values = np.log10(low), np.log10(high), np.log10(values)
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
