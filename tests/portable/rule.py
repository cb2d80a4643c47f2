"""What decides takes its functions from `imcevo.portable`: NumPy's and the C library's differ between processors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import imcevo

PACKAGE = Path(imcevo.__file__).parent
DECIDING = (
    "accuracy", "costs", "hardware", "mapping", "optimise", "problem", "simulator", "technology", "workload",
)  # fmt: skip
# Scripts that compare with other simulators, and a sample that is reported and decides nothing.
NOT_DECIDING = ("costs/peers", "accuracy/monte_carlo.py", "accuracy/trained.py", "workload/onnx_import")
_ARRAYS = {
    "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "logaddexp", "power", "float_power", "cbrt", "hypot",
    "sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "arctan2", "einsum", "dot", "vdot",
    "matmul", "inner", "tensordot", "sum", "logspace", "geomspace", "linalg", "argpartition",
}  # fmt: skip
_NUMBERS = {"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt", "hypot", "erf", "erfc", "gamma",
            "lgamma", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "atan2", "fma"}  # fmt: skip
# Sums and products of whole numbers are exact in any order.
WHOLE_SUMS = {
    "accuracy/statistics.py",
    "accuracy/monte_carlo.py", "optimise/novelty.py", "optimise/published_search.py", "optimise/exhaustive.py",
    "simulator/shortfalls.py", "simulator/sampled_snr.py", "mapping/placement.py", "workload/build.py",
    "problem/designs.py",
}  # fmt: skip


def files() -> Iterator[tuple[str, ast.Module]]:
    for room in DECIDING:
        for file in sorted((PACKAGE / room).rglob("*.py")):
            name = str(file.relative_to(PACKAGE))
            if not name.startswith(NOT_DECIDING):
                yield name, ast.parse(file.read_text())


def forbidden(tree: ast.Module, *, sums: bool) -> Iterator[tuple[int, str]]:
    """Lines and what stands there; `sums`: sums and products may stand there."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="np"), attr=name) if name in _ARRAYS:
                yield node.lineno, f"np.{name}"
            case ast.Attribute(value=ast.Name(id="math"), attr=name) if name in _NUMBERS:
                yield node.lineno, f"math.{name}"
            case ast.ImportFrom(module="math" | "scipy.special", names=names):
                yield from ((node.lineno, name.name) for name in names if name.name in _NUMBERS)
            case ast.BinOp(op=ast.MatMult()) if not sums:
                yield node.lineno, "@"
            case ast.BinOp(op=ast.Pow(), right=ast.Constant(value=2 | 3)):
                pass  # products
            case ast.BinOp(op=ast.Pow(), left=ast.Constant(value=int())):
                pass  # of whole numbers
            case ast.BinOp(op=ast.Pow()):
                yield node.lineno, "**"
            case ast.Call(func=ast.Attribute(attr="sum" | "mean" | "std" | "var" as name)) if not sums:
                yield node.lineno, f".{name}"
            case ast.Call(func=ast.Attribute(attr="argsort"), keywords=given) if "kind" not in [k.arg for k in given]:
                yield node.lineno, "unstable argsort"


def findings() -> list[str]:
    """What stands in deciding rooms and must not."""
    return [
        f"{name}:{line}: {what}" for name, tree in files() for line, what in forbidden(tree, sums=name in WHOLE_SUMS)
    ]


if __name__ == "__main__":
    print("\n".join(findings()))
