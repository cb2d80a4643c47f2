"""All figures of a run, written into its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from imcevo.analysis.figures.breakdown import draw_breakdown, n_bars
from imcevo.analysis.figures.front import draw_front
from imcevo.analysis.figures.hypervolume import draw_hypervolume
from imcevo.analysis.figures.style import figure, save
from imcevo.analysis.run import Run
from imcevo.errors import UserError
from imcevo.runs.config import RunSpec


def write_figures(run: Run, against: Sequence[Run] = ()) -> list[Path]:
    """``hypervolume``, and with a feasible design ``front`` (two objectives or more) and ``breakdown``: PNG
    and SVG.

    Args:
        against: other runs of the same problem, drawn beside in ``hypervolume``.

    Raises:
        UserError: a run of another problem; a damaged file; the folder cannot be written.
    """
    written: list[Path] = []
    if len(run.front):
        if len(run.objectives) > 1:
            n_panels = len(run.objectives) * (len(run.objectives) - 1) // 2
            with figure(2.2 + 3.7 * min(3, n_panels), 1.2 + 3.6 * -(-n_panels // 3)) as drawn:
                draw_front(drawn, run)
                written += save(drawn, run.path, "front")
        with figure(14.0, 2.9 + 0.27 * n_bars(run)) as drawn:
            draw_breakdown(drawn, run)
            written += save(drawn, run.path, "breakdown")
    named = {run.manifest.optimiser: [run]}
    for other in against:
        if other.layout.problem_hash != run.layout.problem_hash:
            raise UserError("is a run of another problem: hypervolumes cannot be compared", file=other.path)
        named.setdefault(other.manifest.optimiser, []).append(other)
    return written + _hypervolume(named, run.path)


def write_comparison_figure(folder: Path, runs: Sequence[tuple[RunSpec, Run]]) -> list[Path]:
    """``hypervolume`` of all runs of an experiment, by optimiser."""
    named: dict[str, list[Run]] = {}
    for spec, run in runs:
        named.setdefault(spec.optimiser, []).append(run)
    return _hypervolume(named, folder)


def _hypervolume(named: dict[str, list[Run]], folder: Path) -> list[Path]:
    with figure(7.0, 4.2) as drawn:
        draw_hypervolume(drawn, named)
        return save(drawn, folder, "hypervolume")
