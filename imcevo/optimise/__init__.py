"""Optimisers: ask for designs, tell their evaluation. The only floor that imports pymoo."""

from imcevo.optimise.archive import Front, ParetoArchive
from imcevo.optimise.base import Optimiser, OptimiserState, SearchProblem
from imcevo.optimise.registry import OPTIMISERS, optimiser_entry, optimiser_options

__all__ = [
    "OPTIMISERS", "Front", "Optimiser", "OptimiserState", "ParetoArchive", "SearchProblem", "optimiser_entry",
    "optimiser_options",
]  # fmt: skip
