"""Correctly rounded logarithms, exponentials and powers of single numbers, by decimal arithmetic.

Some ten microseconds each: for what is computed once, where nothing else needs compiled code.
"""

from __future__ import annotations

from decimal import Context, Decimal

# Twice the digits of a double and more: a result rounds as the true value does unless that lies within 1e-40,
# relative, of the middle between two doubles.
DIGITS = Context(prec=40)


def log(x: float) -> float:
    """ln(x), x > 0."""
    return float(Decimal(x).ln(DIGITS))


def log10(x: float) -> float:
    """log10(x), x > 0."""
    return float(Decimal(x).log10(DIGITS))


def exp(x: float) -> float:
    """e^x."""
    return float(Decimal(x).exp(DIGITS))


def power(x: float, y: float) -> float:
    """x^y, x > 0."""
    return float(DIGITS.multiply(Decimal(x).ln(DIGITS), Decimal(y)).exp(DIGITS))
