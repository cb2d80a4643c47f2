"""Multi-objective evolutionary co-design of in-memory-computing accelerators for many networks."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imcevo.api import evaluate
    from imcevo.errors import UserError
    from imcevo.optimise.pymoo_problem import as_pymoo
    from imcevo.problem import CodesignProblem, load_problem

__version__ = "0.2.0"
__all__ = ["CodesignProblem", "UserError", "__version__", "as_pymoo", "evaluate", "load_problem"]

# Imported on first use: the command line must print its help without loading numba, pandas and pymoo.
_HOMES = {
    "CodesignProblem": "imcevo.problem",
    "UserError": "imcevo.errors",
    "as_pymoo": "imcevo.optimise.pymoo_problem",
    "evaluate": "imcevo.api",
    "load_problem": "imcevo.problem",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
