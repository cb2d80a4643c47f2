"""Elementary functions against 40-digit arithmetic, at special values, and as machine code."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Context, Decimal, getcontext, localcontext

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from numpy.typing import NDArray

from imcevo.kernels import kernel
from imcevo.portable import arrays, elementary, exact

CONTEXT = Context(prec=60)
RNG = np.random.default_rng(1)
SPECIAL = np.array([
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, -3.0, 2.5, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-300, 5e-324,
])  # fmt: skip
LOGARITHMIC = np.concatenate([
    np.exp(RNG.uniform(-700, 700, 800)), RNG.uniform(0.5, 2.0, 800), 1 + RNG.uniform(-0.01, 0.01, 800),
    RNG.uniform(0, 1, 200) * 2.0**-1030,
])  # fmt: skip
EXPONENTS = np.concatenate([RNG.uniform(-708, 709.7, 1500), RNG.uniform(-1, 1, 500), RNG.uniform(-1e-9, 1e-9, 100)])


def ulps(got: float, true: Decimal) -> float:
    """Error in units of the last place of the true value."""
    return float(abs(Decimal(got) - true) / Decimal(math.ulp(float(true))))


def ln(x: Decimal) -> Decimal:
    return x.ln(CONTEXT)


def pi() -> Decimal:
    """Machin's formula, in the context at hand."""

    def arctangent(n: int) -> Decimal:
        total = term = Decimal(1) / n
        k = 1
        while abs(term) > Decimal(10) ** -getcontext().prec:
            term, k = -term / (n * n), k + 2
            total += term / k
        return total

    return 4 * (4 * arctangent(5) - arctangent(239))


def true_cosine(turns: Decimal) -> Decimal:
    with localcontext(CONTEXT):
        x, total, term, k = 2 * pi() * (turns % 1), Decimal(1), Decimal(1), 0
        while abs(term) > Decimal("1e-55"):
            k += 2
            term = -term * x * x / (k * (k - 1))
            total += term
        return total


def true_erfc(x: Decimal) -> Decimal:
    """1 - erf, with digits enough for what cancels up to x = 26."""
    with localcontext(Context(prec=700)):
        total = term = x
        k = 0
        while abs(term) > Decimal("1e-380"):
            k += 1
            term = -term * x * x / k
            total += term / (2 * k + 1)
        return 1 - 2 * total / pi().sqrt()


@kernel(entry=True)
def cosines(x: NDArray[np.float64], result: NDArray[np.float64]) -> None:
    for i in range(len(x)):
        result[i] = elementary.cos_turns(x[i])


@pytest.mark.parametrize(
    ("function", "true", "at"),
    [
        (arrays.log, ln, LOGARITHMIC),
        (arrays.log2, lambda x: CONTEXT.divide(ln(x), ln(Decimal(2))), LOGARITHMIC),
        (arrays.log10, lambda x: x.log10(CONTEXT), LOGARITHMIC),
        (arrays.log1p, lambda x: ln(CONTEXT.add(1, x)), np.concatenate([RNG.uniform(-0.9, 3, 800), EXPONENTS[-100:]])),
        (arrays.exp, lambda x: x.exp(CONTEXT), EXPONENTS),
        (arrays.exp2, lambda x: CONTEXT.multiply(x, ln(Decimal(2))).exp(CONTEXT), RNG.uniform(-1022, 1023, 800)),
    ],
    ids=["log", "log2", "log10", "log1p", "exp", "exp2"],
)
def test_half_an_ulp_and_a_little(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    true: Callable[[Decimal], Decimal],
    at: NDArray[np.float64],
) -> None:
    errors = [ulps(got, true(Decimal(x))) for got, x in zip(function(at).tolist(), at.tolist(), strict=True)]
    assert max(errors) <= 0.51


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.exp(RNG.uniform(-20, 20, 1500)), RNG.uniform(-30, 30, 1500)),
        (1 + RNG.uniform(-1e-3, 1e-3, 1500), RNG.uniform(-3e5, 3e5, 1500)),
    ],
    ids=["wide", "near 1"],
)
def test_powers(x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    for got, a, b in zip(arrays.power(x, y).tolist(), x.tolist(), y.tolist(), strict=True):
        true = CONTEXT.multiply(ln(Decimal(a)), Decimal(b)).exp(CONTEXT)
        assert ulps(got, true) <= 0.51
        assert exact.power(a, b) == float(true)


def test_subnormal_results_are_off_by_one_at_most() -> None:
    at = RNG.uniform(-745, -709, 300)
    for got, x in zip(arrays.exp(at).tolist(), at.tolist(), strict=True):
        assert abs(Decimal(got) - Decimal(x).exp(CONTEXT)) <= Decimal("5e-324")


def test_whole_powers_of_two_and_ten_are_exact() -> None:
    exponents = np.arange(-1074, 1024)
    np.testing.assert_array_equal(arrays.exp2(exponents), np.ldexp(1.0, exponents))
    np.testing.assert_array_equal(arrays.log2(np.ldexp(1.0, exponents)), exponents)
    tens = range(-300, 301)
    np.testing.assert_array_equal(arrays.power(10.0, tens), [float(f"1e{k}") for k in tens])
    np.testing.assert_array_equal(arrays.log10([float(f"1e{k}") for k in tens]), tens)


def test_cosine_of_turns() -> None:
    at = np.concatenate([RNG.uniform(-2, 2, 600), RNG.uniform(-1e6, 1e6, 200)])
    result = np.empty_like(at)
    cosines(at, result)
    assert max(ulps(got, true_cosine(Decimal(x))) for got, x in zip(result.tolist(), at.tolist(), strict=True)) <= 2
    special = np.array([0.0, 0.25, 0.5, 0.75, 1e300, 2.0**51 + 0.5, np.inf])
    result = np.empty_like(special)
    cosines(special, result)
    np.testing.assert_array_equal(result, [1, 0, -1, 0, 1, -1, np.nan])


def test_error_function() -> None:
    at = np.concatenate([RNG.uniform(-6, 12, 80), RNG.uniform(0, 1, 40), [0.499999, 0.5, 26.0]])
    errors = [ulps(got, true_erfc(Decimal(x))) for got, x in zip(arrays.erfc(at).tolist(), at.tolist(), strict=True)]
    assert max(errors) <= 4
    np.testing.assert_array_equal(arrays.erfc([0.0, -30.0, 30.0, np.inf, -np.inf, np.nan]), [1, 2, 0, 0, 2, np.nan])


@pytest.mark.parametrize("name", ["exp", "exp2", "log", "log2", "log10", "log1p"])
def test_special_values_are_numpys(name: str) -> None:
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(SPECIAL)
    np.testing.assert_array_max_ulp(np.nan_to_num(getattr(arrays, name)(SPECIAL)), np.nan_to_num(expected), maxulp=1)
    np.testing.assert_array_equal(np.isfinite(getattr(arrays, name)(SPECIAL)), np.isfinite(expected))


def test_special_powers_are_numpys() -> None:
    x, y = (v.ravel() for v in np.meshgrid(SPECIAL, SPECIAL))
    with np.errstate(all="ignore"):
        expected = np.power(x, y)
    got = arrays.power(x, y)
    np.testing.assert_array_max_ulp(np.nan_to_num(got), np.nan_to_num(expected), maxulp=1)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])


@pytest.mark.parametrize("name", ["exp", "exp2", "log", "log2", "log10", "log1p", "erfc", "cos_turns", "power"])
@pytest.mark.parametrize(
    ("triple", "cpu"),
    [("x86_64-unknown-linux-gnu", "sapphirerapids"), ("aarch64-unknown-linux-gnu", "neoverse-v1")],
    ids=["x86-64", "arm64"],
)
def test_machine_code_fuses_no_operations_and_calls_no_library(name: str, triple: str, cpu: str) -> None:
    """A fused multiply-add rounds once where a multiplication and an addition round twice."""
    function = getattr(elementary, name)
    compiled = kernel(inline=False, inner=True)(function.py_func)
    compiled.compile((numba.float64,) * (2 if name == "power" else 1))
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu=cpu, opt=3)
    for code in compiled.inspect_llvm().values():
        text = "\n".join(line for line in code.splitlines() if not line.startswith("target "))
        module = llvm.parse_assembly(f'target triple = "{triple}"\n{text}')
        called = {f.name for f in module.functions if f.is_declaration}
        exact_ones = {"fabs", "floor", "is.fpclass", "copysign"}
        assert called <= {f"llvm.{one}.f64" for one in exact_ones}
        assembly = machine.emit_assembly(module)
        instructions = [line.split()[0] for line in assembly.splitlines() if line.strip()]
        assert sum("mul" in instruction for instruction in instructions) > 1
        assert not [word for word in instructions if re.match(r"v?fn?m(add|sub|la|ls)", word)]
