"""The area tables of the published profile, decomposed from published areas.

area = G(depth) + groups R + tiles (B(macros, rows) + B(macros, cols)) + tiles macros A(rows, cols[, V]) holds to
1e-9 on every known point of both memories at 32 nm, with G, R and B shared. A(r, c) and B(m, d) are determined up to
an exchange B(m, d) -> B(m, d) + m f(d), A(r, c) -> A(r, c) - f(r) - f(c); f is fixed by B(`GAUGE_MACROS`, d) = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.validate.published.points import ReferencePoints

GAUGE_MACROS = 4

Key = tuple[str | float, ...]


@dataclass(frozen=True)
class AreaTables:
    """Areas in m2 by component.

    Attributes:
        entries: ``("router_group",)``, ``("global_buffer", depth)``, ``("tile_buffer", macros, depth)``,
            ``("macro_rram", rows, cols)``, ``("macro_sram", voltage_V, rows, cols)`` -> area.
        filled: the entries among them that no point determines: SRAM macros by
            base(rows, cols) + rows / cols h(voltage).
    """

    entries: Mapping[Key, float]
    filled: frozenset[Key]

    def predict(self, points: ReferencePoints) -> NDArray[np.float64]:
        """Areas ``[n_points]``, NaN where an entry is missing."""
        parts = ([self.entries.get(key, np.nan) * weight for key, weight in row] for row in _rows(points))
        return np.array([sum(part) for part in parts])


def decompose_areas(points: ReferencePoints) -> AreaTables:
    """Decompose the 32 nm areas of `points`; weighted least squares on relative errors.

    Raises:
        UserError: no 32 nm point.
    """
    points = points.take(points.designs["node_nm"] == 32)
    if len(points) == 0:
        raise UserError("there are no points at 32 nm", key="node_nm")
    points = points.take(_first_of_each(points))
    rows = _rows(points)
    keys = {key: column for column, key in enumerate(dict.fromkeys(key for row in rows for key, _ in row))}
    design = np.zeros((len(points), len(keys)))
    for index, row in enumerate(rows):
        for key, weight in row:
            design[index, keys[key]] += weight / points.area_m2[index]
    scale = np.linalg.norm(design, axis=0)
    gauge = [keys[key] for key in keys if key[:2] == ("tile_buffer", GAUGE_MACROS)]
    pins = np.zeros((len(gauge), len(keys)))
    pins[np.arange(len(gauge)), gauge] = 1.0
    target = np.concatenate([np.ones(len(points)), np.zeros(len(gauge))])
    solution = np.linalg.lstsq(np.concatenate([design / scale, pins]), target, rcond=1e-13)[0] / scale
    entries: dict[Key, float] = {key: float(solution[column]) for key, column in keys.items()}
    filled = _filled_macros(entries)
    return AreaTables(entries | filled, frozenset(filled))


def _rows(points: ReferencePoints) -> list[list[tuple[Key, float]]]:
    """The components of every point and how often each is there."""
    d = points.designs
    rows = []
    for index in range(len(points)):
        voltage, depth = float(d["voltage_V"][index]), int(d["glb_depth"][index])
        r, c, m = int(d["rows"][index]), int(d["cols"][index]), int(d["macros_per_tile"][index])
        groups = int(d["router_groups"][index])
        tiles = groups * int(d["tiles_per_group"][index])
        macro: Key = ("macro_rram", r, c) if points.memory[index] == "rram" else ("macro_sram", voltage, r, c)
        rows.append([
            (("global_buffer", depth), 1.0), (("router_group",), float(groups)), (("tile_buffer", m, r), float(tiles)),
            (("tile_buffer", m, c), float(tiles)), (macro, float(tiles * m)),
        ])  # fmt: skip
    return rows


def _first_of_each(points: ReferencePoints) -> NDArray[np.intp]:
    """One point of every design: the area is the same for all its networks."""
    design = np.stack([points.memory == "sram", points.design_numbers()], axis=1)
    return np.sort(np.unique(design, axis=0, return_index=True)[1])


def _filled_macros(entries: Mapping[Key, float]) -> dict[Key, float]:
    """SRAM macros that no point determines, from base(rows, cols) + rows / cols h(voltage) fitted to the others."""
    known = [(key[1:], area) for key, area in entries.items() if key[0] == "macro_sram"]
    if not known:
        return {}
    voltages = sorted({key[0] for key, _ in known})
    shapes = sorted({key[1:] for key, _ in known})
    terms = np.zeros((len(known), len(shapes) + len(voltages)))
    for index, ((voltage, r, c), area) in enumerate(known):
        terms[index, shapes.index((r, c))] = 1.0 / area
        terms[index, len(shapes) + voltages.index(voltage)] = float(r) / float(c) / area
    fit = np.linalg.lstsq(terms, np.ones(len(known)), rcond=None)[0]
    return {
        ("macro_sram", voltage, r, c): float(fit[i] + float(r) / float(c) * fit[len(shapes) + j])
        for i, (r, c) in enumerate(shapes)
        for j, voltage in enumerate(voltages)
        if ("macro_sram", voltage, r, c) not in entries
    }
