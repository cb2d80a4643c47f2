"""`imcevo validate survey`: the physical profile against measured chips of a public survey."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.technology import Calibration, Technology, load_technology
from imcevo.validate.peers.tables import spearman
from imcevo.validate.survey.data import SAMPLE, Survey, read_survey
from imcevo.validate.survey.fit import ScaleFit, chips_held_out, regression_energy
from imcevo.validate.survey.model import Prediction, above_threshold, predict, survey_technology

TARGETS = {
    "energy_median_factor": 1.9, "within_3x": 0.70, "energy_spearman": 0.70, "step_energy_spearman": 0.85,
    "step_time_median_factor": 2.1,
}  # fmt: skip
AT_LEAST = ("within_3x", "energy_spearman", "step_energy_spearman")
_RESAMPLES = 500
_SEED = 0
_INTERVAL = (0.05, 0.95)


class Compared(NamedTuple):
    """Logarithms of model over measured ``[n_points]``, NaN where the survey has no figure, and what is ranked."""

    energy: NDArray[np.float64]
    step_time: NDArray[np.float64]
    density: NDArray[np.float64]
    energy_per_op_J: tuple[NDArray[np.float64], NDArray[np.float64]]  # model, measured
    energy_per_step_J: tuple[NDArray[np.float64], NDArray[np.float64]]

    def take(self, index: NDArray[Any]) -> Compared:
        """The points at `index`."""
        pairs = (tuple(side[index] for side in pair) for pair in self[3:])
        return Compared(*(values[index] for values in self[:3]), *pairs)


def validate_survey(survey: Survey | None = None, technology: Technology | None = None) -> dict[str, Any]:
    """How far the physical profile is from measured chips.

    On the shipped half (`survey` None) the headline figures are leave-one-chip-out: every chip is predicted with
    scales fitted without it. On other data the shipped scales predict chips that none of them was fitted on.

    Returns:
        A report ready for JSON. ``points``, ``chips``; the figures of `figures_of` and their ``intervals`` (5 to 95 %,
        bootstrap over chips); ``in_sample`` (shipped half only: the shipped scales) and ``uncalibrated`` (all scales
        1) with the same figures; ``regression_*``; ``compute_models`` (figures by bit cell); ``scales``; ``targets``
        and ``passed``; ``left_out`` and ``flagged``.
    """
    own = survey is None
    shipped, data, given = _given(survey, technology)
    fit = ScaleFit(data, given)
    with_scales = predict(data, given)
    compared = compare_points(data, fit.without_own_chip() if own else with_scales)
    report: dict[str, Any] = {
        "data": SAMPLE if own else "given", "points": len(data), "chips": len(set(data["chip"].tolist())),
        "predicted_with": "scales fitted without the chip" if own else "the shipped scales", **figures_of(compared),
    }  # fmt: skip
    report["intervals"] = _intervals(data, lambda index: figures_of(compared.take(index)))
    regression = _compare_regression(shipped, data, own=own)
    report |= regression_figures(regression)
    report["intervals"] |= _intervals(data, lambda index: regression_figures(regression.take(index)))
    if own:
        report["in_sample"] = figures_of(compare_points(data, with_scales))
    report["uncalibrated"] = figures_of(compare_points(data, predict(data, given.uncalibrated())))
    report["compute_models"] = {
        str(cell): {"points": int((data.cell == cell).sum()), **figures_of(compared.take(data.cell == cell))}
        for cell in np.unique(data.cell)
    }
    report["scales"] = {name: getattr(given.calibration, name).si for name in Calibration.model_fields}
    report["targets"] = {
        name: {"target": target, "passed": _reached(name, report[name], target)} for name, target in TARGETS.items()
    }
    report["passed"] = all(target["passed"] for target in report["targets"].values())
    report["left_out"], report["flagged"] = list(data.left_out), list(data.flagged)
    return report


def survey_frame(survey: Survey | None = None, technology: Technology | None = None) -> pd.DataFrame:
    """Model and measured side by side, one row per point, for tables and figures.

    Columns: ``chip``, ``compute_model``, ``node_nm``, ``voltage_V`` of the survey; ``cell`` of the model;
    ``energy_per_op_J``, ``step_s``, ``density_ops_per_s_m2`` each measured (``_measured``), with the shipped scales
    (``_model``) and, on the shipped half, with scales fitted without the chip (``_left_out``).
    """
    own = survey is None
    _, data, given = _given(survey, technology)
    frame = pd.DataFrame({name: data[name] for name in ("chip", "compute_model", "node_nm", "voltage_V")})
    frame["cell"] = data.cell
    frame["energy_per_op_J_measured"] = data["energy_per_one_bit_op_fJ"] * 1e-15
    frame["step_s_measured"] = data["step_ns"] * 1e-9
    frame["density_ops_per_s_m2_measured"] = data["one_bit_TOPS_per_mm2"] * 1e18
    predictions = {"model": predict(data, given)}
    if own:
        predictions["left_out"] = ScaleFit(data, given).without_own_chip()
    for name, prediction in predictions.items():
        frame[f"energy_per_op_J_{name}"] = prediction.energy_J / data.one_bit_ops
        frame[f"step_s_{name}"] = prediction.step_s
        frame[f"density_ops_per_s_m2_{name}"] = data.one_bit_ops / prediction.step_s / prediction.area_m2
    return frame


def _given(survey: Survey | None, technology: Technology | None) -> tuple[Survey, Survey, Technology]:
    """The shipped half, the points to compare, and the technology for them."""
    shipped, base = read_survey(), technology or load_technology()
    data = above_threshold(shipped if survey is None else survey, base)
    return shipped, data, survey_technology(data, base)


def compare_points(survey: Survey, prediction: Prediction) -> Compared:
    """Model against measured."""
    ops, measured_J = survey.one_bit_ops, survey.energy_per_step_J
    density = ops / prediction.step_s / prediction.area_m2
    return Compared(
        np.log(prediction.energy_J / measured_J),
        np.log(prediction.step_s / (survey["step_ns"] * 1e-9)),
        np.log(density / (survey["one_bit_TOPS_per_mm2"] * 1e18)),
        (prediction.energy_J / ops, measured_J / ops),
        (prediction.energy_J, measured_J),
    )


def figures_of(compared: Compared) -> dict[str, float | None]:
    """Figures of merit; factors are exp of the median (or mean) absolute logarithm of model over measured.

    None where there is nothing to compare.
    """
    return {
        "energy_median_factor": _factor(compared.energy), "energy_mean_factor": _factor(compared.energy, np.mean),
        "within_3x": float(np.mean(np.abs(compared.energy) <= np.log(3.0))) if len(compared.energy) else None,
        "energy_spearman": _rank(*compared.energy_per_op_J),
        "step_energy_spearman": _rank(*compared.energy_per_step_J),
        "step_time_median_factor": _factor(compared.step_time),
        "step_time_mean_factor": _factor(compared.step_time, np.mean),
        "density_median_factor": _factor(compared.density),
    }  # fmt: skip


def regression_figures(compared: Compared) -> dict[str, float | None]:
    """The figures of energy per operation, for the regression."""
    names = ("energy_median_factor", "within_3x", "energy_spearman")
    return {f"regression_{name}": value for name, value in figures_of(compared).items() if name in names}


def _compare_regression(shipped: Survey, data: Survey, *, own: bool) -> Compared:
    """The regression fitted on the shipped half; there, every chip predicted without itself."""
    if own:
        energy = np.empty(len(data))
        for held_out in chips_held_out(data):
            energy[held_out] = regression_energy(shipped.take(~held_out), data.take(held_out))
    else:
        energy = regression_energy(shipped, data)
    nothing = np.full(len(data), np.nan)
    return compare_points(data, Prediction(energy * data.one_bit_ops, nothing, nothing))


def _intervals(
    survey: Survey, figures: Callable[[NDArray[np.int64]], Mapping[str, float | None]]
) -> dict[str, list[float] | None]:
    """5 to 95 % of every figure over resampled chips."""
    rng = np.random.default_rng(_SEED)
    points = [np.flatnonzero(chosen) for chosen in chips_held_out(survey)]
    drawn: dict[str, list[float]] = {}
    for _ in range(_RESAMPLES):
        picked = rng.integers(len(points), size=len(points))
        for name, value in figures(np.concatenate([points[chip] for chip in picked])).items():
            drawn.setdefault(name, []).append(np.nan if value is None else value)
    return {
        name: None if np.isnan(values).all() else np.nanquantile(values, _INTERVAL).tolist()
        for name, values in drawn.items()
    }


def _factor(logs: NDArray[np.float64], middle: Callable[..., Any] = np.median) -> float | None:
    known = np.abs(logs[~np.isnan(logs)])
    return float(np.exp(middle(known))) if len(known) else None


def _rank(model: NDArray[np.float64], measured: NDArray[np.float64]) -> float | None:
    return spearman(model, measured) if len(model) > 2 else None


def _reached(name: str, figure: float | None, target: float) -> bool:
    if figure is None:
        return False
    return figure >= target if name in AT_LEAST else figure <= target
