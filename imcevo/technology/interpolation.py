"""CMOS nodes between those with data, and a little beyond."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

from imcevo.portable.exact import log, power
from imcevo.technology.nodes import Node
from imcevo.technology.quantity import UNITS, Quantity

# Outside the nodes with data: how a quantity goes with the feature size. Quantities not named stay.
_EXPONENTS = {"gate_delay": 1.0, "logic_area": 2.0, "wire_width": 1.0}
# Capacitance per transistor or cell falls more slowly than the node's name; fitted on half of the survey of measured
# chips (UIUC-IMC-Benchmarking): u = sqrt(node^2 + 5.7^2).
_CAPACITANCE_FLOOR_NM = 5.7


def interpolated_node(nodes: Mapping[int, Node], nm: int) -> Node:
    """The node of `nm`, interpolated in logarithms between its neighbours; beyond the ends, scaled from the end.

    Beyond the ends voltages stay those of the last node, delay goes with the feature size, logic area with its square
    and switching energy with sqrt(nm^2 + 5.7^2).
    """
    if nm in nodes:
        return nodes[nm]
    sizes = sorted(nodes)
    below = max((size for size in sizes if size < nm), default=None)
    above = min((size for size in sizes if size > nm), default=None)
    if below is None or above is None:
        end = above if below is None else below
        assert end is not None
        return _scaled(nodes[end], end, nm)
    weight = log(nm / below) / log(above / below)
    source = f"log-interpolated between {below} and {above} nm"
    return _changed(nodes[below], nm, {
        key: power(_value(nodes[below], key), 1 - weight) * power(_value(nodes[above], key), weight) for key in _keys()
    }, source)  # fmt: skip


def _scaled(node: Node, end: int, nm: int) -> Node:
    floor = _CAPACITANCE_FLOOR_NM
    factors = {key: power(nm / end, exponent) for key, exponent in _EXPONENTS.items()}
    factors["switching_energy"] = sqrt(nm * nm + floor * floor) / sqrt(end * end + floor * floor)
    values = {key: _value(node, key) * factors.get(key, 1.0) for key in _keys()}
    return _changed(node, nm, values, f"extrapolated from {end} nm")


def _keys() -> list[str]:
    return [key for key in Node.model_fields if key != "feature_size"]


def _value(node: Node, key: str) -> float:
    quantity: Quantity = getattr(node, key)
    return quantity.si


def _changed(node: Node, nm: int, values_si: Mapping[str, float], source: str) -> Node:
    fields: dict[str, Any] = {"feature_size": Quantity(value=nm, unit="nm", source="name of the node")}
    for key, value in values_si.items():
        unit = getattr(node, key).unit
        fields[key] = Quantity(value=value / UNITS[unit][1], unit=unit, source=source)
    return Node(**fields)
