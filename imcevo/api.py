"""What a notebook needs beside `load_problem`: designs evaluated, runs and studies as tidy frames, fronts measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from imcevo.analysis import ends, knee, load_run, load_runs, nondominated
from imcevo.analysis.front_quality import attainment, front_quality, igd_plus
from imcevo.analysis.study.accelerators import measured_accelerators
from imcevo.analysis.study.folder import derive_tables, load_study_results
from imcevo.errors import UserError
from imcevo.hardware import table_of
from imcevo.problem import CodesignProblem
from imcevo.problem.designs import complete_design
from imcevo.study.sensitivity import sensitivity_table

__all__ = [
    "attainment", "derive_tables", "ends", "evaluate", "front_quality", "igd_plus", "knee", "load_run", "load_runs",
    "load_study_results", "measured_accelerators", "nondominated", "sensitivity_table",
]  # fmt: skip


def evaluate(problem: CodesignProblem, designs: pd.DataFrame | Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Evaluate designs of a problem, on the grid of its design space or off it.

    Args:
        problem: from `load_problem`.
        designs: one row (or dictionary) per design with a value for every gene; keys that the problem fixes
            may be left out.

    Returns:
        One row per design, in order (and with the index of `designs` if that is a frame): the design's values
        as simulated, after repair, then the columns of `CodesignProblem.frame_of`.

    Raises:
        UserError: no design, an unknown or missing key, a wrong type, a value out of range.
    """
    rows: list[Any] = designs.to_dict("records") if isinstance(designs, pd.DataFrame) else list(designs)
    if not rows:
        raise UserError("there is no design to evaluate", allowed="at least one design")
    completed = []
    for position, row in enumerate(rows):
        try:
            completed.append(complete_design(problem, row)[0])
        except UserError as error:
            raise error.in_file(f"design {position}") from None
    table = problem.simulator.repair(table_of(completed))
    frame = problem.frame_of(table, problem.simulator.simulate(table), keys=tuple(problem.space.values))
    return frame.set_index(designs.index) if isinstance(designs, pd.DataFrame) else frame
