"""`imcevo validate silicon`: the physical profile against measured chips, figure by figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.validate.silicon.chips import QUANTITIES, Chip, chip_technology, load_chips
from imcevo.validate.silicon.fit import Fitted, as_they_are, leave_one_out, with_own, with_shared
from imcevo.validate.silicon.model import Point, Predictions, parts_of, predict
from imcevo.validate.silicon.uncertainty import model_uncertainty

# Percent, except `largest_factor`: no chip further off.
TARGETS: dict[str, dict[str, float]] = {
    "calibrated": {"energy_median_error": 10.0, "throughput_median_error": 10.0, "area_median_error": 25.0},
    "leave_one_out": {"energy_median_error": 35.0},
}
LARGEST_FACTOR = 2.5
SI_UNITS = {"energy": "J", "throughput": "s", "area": "m2"}


def validate_silicon(path: Path | None = None) -> dict[str, Any]:
    """Compare the shipped chips, or those of `path`, with the model.

    Constants are always fitted on the shipped chips; one of `path` that bears the name of a shipped chip replaces it,
    so that no chip is predicted by itself. Errors are ``exp|ln(model / measured)| - 1`` in percent: the median over the
    figures of a chip, then over chips. How constants are set, by key:

    - ``uncalibrated``: none, all scales of the profile at 1;
    - ``profile``: the profile as it ships;
    - ``shared``: one constant per group of parts and circuit family, fitted on all chips (in-sample);
    - ``calibrated``: a chip's own constants, on the figures that did not set them (``fitted`` has the others);
    - ``leave_one_out``: shared constants of the other chips.

    Raises:
        UserError: a file that is not a chip, or a configuration that the model does not cover.
    """
    chips = load_chips(path)
    shipped = chips if path is None else load_chips()
    technology = chip_technology(chips, path)
    # What its own constants are fitted on must not hold scales that were fitted elsewhere.
    plain = predict(chips, technology.uncalibrated())
    reference = plain if path is None else _reference(shipped, chips)
    ways: dict[str, dict[str, Fitted]] = {
        "uncalibrated": {q: as_they_are(p) for q, p in plain.items()},
        "profile": {q: as_they_are(p) for q, p in predict(chips, technology).items()},
        "shared": {q: with_shared(p, reference.get(q)) for q, p in plain.items()},
        "calibrated": {q: with_own(p, reference.get(q)) for q, p in plain.items()},
        "leave_one_out": {q: leave_one_out(p, reference.get(q)) for q, p in plain.items()},
    }
    report: dict[str, Any] = {"chips": len(chips), "figures": sum(len(p.points) for p in plain.values())}
    for way, fitted in ways.items():
        report[way] = _summary(plain, fitted)
    report["calibrated"]["fitted"] = _summary(plain, ways["calibrated"], used=True)
    report["families"] = {
        family: _summary(_of_family(plain, family), _of_family_fits(plain, ways["leave_one_out"], family))
        for family in dict.fromkeys(chip.family for chip in chips)
    }
    report["excluded"] = [
        f"{point.chip.name}: {describe(point)}: {point.measurement.excluded}"
        for p in plain.values() for point in p.points if point.measurement.excluded
    ]  # fmt: skip
    report["beyond"] = _beyond(plain, ways)
    report["targets"] = _targets(report)
    report["passed"] = all(target["passed"] for target in report["targets"].values())
    points = [row for q, p in plain.items() for row in _rows(q, p, {w: f[q] for w, f in ways.items()})]
    report["uncertainty"] = model_uncertainty(points)
    return {**report, "points": points}


def describe(point: Point) -> str:
    """What a figure is of, in words: quantity, parts, conditions where they differ from the chip's."""
    m, op = point.measurement, point.chip.operation
    words = [m.quantity, *(["of " + " and ".join(m.components)] if m.components else [])]
    words.append(f"at {m.voltage_V or op.voltage_V:g} V" if m.quantity != "area" else "")
    if m.quantity != "area":
        words.append(f"{m.input_bits or op.input_bits} x {m.weight_bits or op.weight_bits} bit")
    return ", ".join(word for word in words if word)


def chip_errors(data: Predictions, predicted: NDArray[np.float64], rows: NDArray[np.bool_]) -> dict[str, float]:
    """Median of ``|ln(model / measured)|`` over the figures in `rows`, by chip; chips without any are left out."""
    size = np.abs(np.log(predicted / data.measured))
    chosen = rows & data.counted & np.isfinite(size)
    return {
        str(chip): float(np.median(size[chosen & data.of_chip(chip)]))
        for chip in dict.fromkeys(data.chips) if (chosen & data.of_chip(chip)).any()
    }  # fmt: skip


def percent(log_error: float) -> float:
    """``exp(log error) - 1`` in percent."""
    return 100.0 * float(np.expm1(log_error))


def _summary(data: Mapping[str, Predictions], fits: Mapping[str, Fitted], *, used: bool = False) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for quantity in QUANTITIES:
        if quantity not in data:
            report |= {f"{quantity}_median_error": None, f"{quantity}_chips": 0, f"{quantity}_figures": 0}
            continue
        p, fit = data[quantity], fits[quantity]
        rows = fit.used if used else ~fit.used
        errors = chip_errors(p, fit.predicted, rows)
        report[f"{quantity}_median_error"] = percent(float(np.median(list(errors.values())))) if errors else None
        report[f"{quantity}_chips"] = len(errors)
        report[f"{quantity}_figures"] = int((rows & p.counted & np.isfinite(fit.predicted)).sum())
        if fit.constants:
            report[f"{quantity}_constants"] = fit.constants
            report[f"{quantity}_fitted_on"] = fit.figures
    return report


def _beyond(data: Mapping[str, Predictions], ways: Mapping[str, Mapping[str, Fitted]]) -> list[dict[str, Any]]:
    """Chips further off than `LARGEST_FACTOR` in any quantity, by their own constants or else by shared ones."""
    found = []
    for quantity, p in data.items():
        own, shared = ways["calibrated"][quantity], ways["shared"][quantity]
        errors = chip_errors(p, shared.predicted, ~shared.used) | chip_errors(p, own.predicted, ~own.used)
        for chip, error in errors.items():
            if error > np.log(LARGEST_FACTOR):
                activity = next(point.chip.operation.activity for point in p.points if point.chip.name == chip)
                found.append({"chip": chip, "quantity": quantity, "factor": float(np.exp(error)), "activity": activity})
    return found


def _targets(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    targets = {}
    for way, figures in TARGETS.items():
        for name, limit in figures.items():
            value = report[way][name]
            targets[f"{way}.{name}"] = {"target": limit, "passed": value is not None and value <= limit}
    targets["beyond"] = {"target": f"no chip beyond {LARGEST_FACTOR}x", "passed": not report["beyond"]}
    return targets


def _rows(quantity: str, data: Predictions, fits: Mapping[str, Fitted]) -> list[dict[str, Any]]:
    rows = []
    for index, point in enumerate(data.points):
        m, hw = point.measurement, point.chip.hardware
        models = {way: float(fit.predicted[index]) for way, fit in fits.items() if np.isfinite(fit.predicted[index])}
        measured = float(data.measured[index])
        rows.append({
            "chip": point.chip.name, "family": point.chip.family, "node_nm": hw.node_nm, "quantity": quantity,
            "of": " + ".join(m.components) or "macro", "parts": list(parts_of(m, hw)), "conditions": describe(point),
            "published": f"{m.value:g} {m.unit}", "unit": SI_UNITS[quantity], "measured": measured, "model": models,
            "ratio": {way: value / measured for way, value in models.items()}, "calibrates": m.calibrates,
            "method": m.method, "excluded": m.excluded, "source": m.source,
        })  # fmt: skip
    return rows


def _reference(shipped: Sequence[Chip], chips: Sequence[Chip]) -> dict[str, Predictions]:
    """Plain predictions of the shipped chips that are not among `chips`."""
    names = {chip.name for chip in chips}
    others = [chip for chip in shipped if chip.name not in names]
    return predict(others, chip_technology(others).uncalibrated()) if others else {}


def _of_family(data: Mapping[str, Predictions], family: str) -> dict[str, Predictions]:
    kept = {}
    for quantity, p in data.items():
        rows = p.families == family
        points = tuple(point for point, keep in zip(p.points, rows, strict=True) if keep)
        if points:
            kept[quantity] = Predictions(points, p.measured[rows], p.terms[rows])
    return kept


def _of_family_fits(
    data: Mapping[str, Predictions], fits: Mapping[str, Fitted], family: str
) -> dict[str, Fitted]:
    masks = {quantity: p.families == family for quantity, p in data.items()}
    return {
        quantity: Fitted(fits[quantity].predicted[mask], fits[quantity].used[mask], 0, 0)
        for quantity, mask in masks.items()
    }
