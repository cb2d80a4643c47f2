"""Analysis of runs: tables, fronts, figures. Reads run folders, never simulates."""

from imcevo.analysis.pareto import ends, knee, nondominated
from imcevo.analysis.run import Run, load_run, load_runs

__all__ = ["Run", "ends", "knee", "load_run", "load_runs", "nondominated"]
