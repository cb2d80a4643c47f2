"""How `imcevo validate silicon` and `profiles` print their reports."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import typer

from imcevo.cli.output import print_table
from imcevo.units import engineering

_WAYS = {
    "uncalibrated": "uncalibrated", "profile": "as shipped", "shared": "shared", "calibrated": "calibrated",
    "leave_one_out": "left out",
}  # fmt: skip
_EXPLAINED = (
    "uncalibrated: every scale at 1; as shipped: the profile's scales, fitted elsewhere; shared: constants of the "
    "circuit family, fitted on these figures; calibrated: a chip's own constants, on figures that did not set them; "
    "left out: shared constants of the other chips"
)


def print_silicon(report: dict[str, Any]) -> None:
    """Figures chip by chip, then medians, targets and what was left out."""
    counted = [row for row in report["points"] if row["excluded"] is None]
    rows = []
    key = itemgetter("family", "chip", "quantity", "of")
    for (_, chip, quantity, of), group in groupby(sorted(counted, key=key), key=key):
        figures = list(group)
        unit, measured = figures[0]["unit"], float(np.median([row["measured"] for row in figures]))
        rows.append([chip, quantity, of, str(len(figures)), engineering(measured, unit), *map(_ratio(figures), _WAYS)])
    header = ["chip", "quantity", "of", "figures", "measured (of one MVM; area)", *_WAYS.values()]
    title = f"Model over measured, {report['chips']} chips: median over the figures of a row"
    print_table(title, header, rows, text_columns=3)
    header = ["median error over chips", "energy", "throughput", "area"]
    print_table("Errors in percent (chips, figures)", header, [
        *(_errors(name, report[way]) for way, name in _WAYS.items()),
        _errors("calibrated, on the figures that set them", report["calibrated"]["fitted"]),
        *(_errors(f"left out, {family}", found) for family, found in report["families"].items()),
    ])  # fmt: skip
    typer.echo(_EXPLAINED)
    print_table("Targets", ["figure", "target", ""], [
        [name, f"{target['target']}", "reached" if target["passed"] else "missed"]
        for name, target in report["targets"].items()
    ])  # fmt: skip
    for chip in report["beyond"]:
        typer.echo(f"{chip['factor']:.1f}x off: {chip['quantity']} of {chip['chip']} (activity {chip['activity']})")
    for reason in report["excluded"]:
        typer.echo(f"not counted: {reason}")


def _ratio(figures: list[dict[str, Any]]) -> Any:
    def told(way: str) -> str:
        # What set a constant is no test of it.
        judged = [figure for figure in figures if way != "calibrated" or not figure["calibrates"]]
        ratios = [figure["ratio"][way] for figure in judged if way in figure["ratio"]]
        return f"{np.median(ratios):.2f}" if ratios else "-"

    return told


def _errors(name: str, found: dict[str, Any]) -> list[str]:
    cells = []
    for quantity in ("energy", "throughput", "area"):
        error = found[f"{quantity}_median_error"]
        counts = f"({found[f'{quantity}_chips']}, {found[f'{quantity}_figures']})"
        cells.append("-" if error is None else f"{error:.0f} {counts}")
    return [name, *cells]


def print_profiles(report: dict[str, Any]) -> None:
    """Rank correlation by memory, then what goes with the disagreement."""
    rows = [
        [memory, str(found["designs"]), f"{found['energy_spearman']:.3f}", f"{found['same_parts_spearman']:.3f}",
         f"{found['ratio_median']:.2f} [{found['ratio_p05']:.2f}, {found['ratio_p95']:.2f}]",
         ", ".join(f"{key} {rank:+.2f}" for key, rank in _largest(found["disagreement"]))]
        for memory, found in report.items()
    ]  # fmt: skip
    header = ["memory", "designs", "energy, Spearman", "without own parts", "physical / published [5 %, 95 %]",
              "the ratio goes with"]  # fmt: skip
    print_table("Energy of the same designs in the physical and the published profile", header, rows)


def _largest(ranks: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(ranks.items(), key=lambda item: -abs(item[1]))[:3]
