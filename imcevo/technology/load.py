"""Reading the technology: the shipped data files, and a user's own cells beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from imcevo.config import load_model, read_toml, validated
from imcevo.errors import UserError, listed, unknown_name
from imcevo.technology.calibration import Calibration
from imcevo.technology.cells import CELL_FAMILIES, MemoryCell
from imcevo.technology.circuits import Circuits, Dram
from imcevo.technology.interpolation import interpolated_node
from imcevo.technology.manufacturing import Manufacturing, NodeManufacturing
from imcevo.technology.nodes import Node
from imcevo.technology.quantity import Quantity

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, eq=False)
class Technology:
    """Cells, nodes, circuits and scales; immutable. Two technologies are equal only if they are the same object."""

    cells: Mapping[str, MemoryCell]
    nodes: Mapping[int, Node]
    circuits: Circuits
    calibration: Calibration
    manufacturing: Manufacturing

    def cell(self, name: str) -> MemoryCell:
        """The bit cell of that name (the name of its data file).

        Raises:
            UserError: unknown name; the nearest valid one is suggested.
        """
        try:
            return self.cells[name]
        except KeyError:
            raise unknown_name("bit cell", name, self.cells, key="cell") from None

    def node(self, nm: int) -> Node:
        """The CMOS node.

        Raises:
            UserError: no data for that node.
        """
        try:
            return self.nodes[nm]
        except KeyError:
            known = f"{listed(sorted(self.nodes))} nm"
            raise UserError("is not a CMOS node with data", key="node_nm", value=nm, allowed=known) from None

    def with_scales(self, **scales: float) -> Technology:
        """The same technology with other scales of `Calibration`; those that are not given stay.

        Raises:
            UserError: a scale that does not exist.
        """
        for name in scales:
            if name not in Calibration.model_fields:
                raise unknown_name("scale of the calibration", name, Calibration.model_fields)
        changed = {name: Quantity(value=value, unit="1", source="given") for name, value in scales.items()}
        return replace(self, calibration=self.calibration.model_copy(update=changed))

    def uncalibrated(self) -> Technology:
        """The circuits as published: every scale 1."""
        return self.with_scales(**dict.fromkeys(Calibration.model_fields, 1.0))

    def with_nodes(self, sizes_nm: Iterable[int]) -> Technology:
        """The same technology with further nodes, interpolated or extrapolated (`interpolated_node`)."""
        return self.with_nodes_as({nm: interpolated_node(self.nodes, nm) for nm in sizes_nm})

    def with_nodes_as(self, nodes: Mapping[int, Node]) -> Technology:
        """The same technology with these nodes added or in place of its own."""
        return replace(self, nodes=MappingProxyType({**self.nodes, **nodes}))

    def dram(self, name: str) -> Dram:
        """The off-chip memory of that name.

        Raises:
            UserError: unknown name; the nearest valid one is suggested.
        """
        try:
            return self.circuits.dram[name]
        except KeyError:
            raise unknown_name("DRAM", name, self.circuits.dram, key="dram") from None

    def wafers(self, nm: int) -> NodeManufacturing:
        """What a node's wafers cost and how many defects they have.

        Raises:
            UserError: no data for that node.
        """
        try:
            return self.manufacturing.nodes[f"{nm}nm"]
        except KeyError:
            known = listed(self.manufacturing.nodes)
            raise UserError("is not a node with wafer prices", key="node_nm", value=nm, allowed=known) from None


def load_technology(cells: Path | None = None) -> Technology:
    """The shipped technology, with the cells of a user's folder (one TOML file each) added.

    Raises:
        UserError: a file that is missing, not TOML, has a number without unit or source, or a cell whose name
            is taken.
    """
    shipped = {path.stem: load_cell(path) for path in _toml_files(DATA / "cells")}
    for path in _toml_files(cells) if cells is not None else []:
        if path.stem in shipped:
            raise UserError("is the name of a shipped cell; rename the file", file=path, value=path.stem)
        shipped[path.stem] = load_cell(path)
    nodes = [load_model(path, Node, what="a CMOS node") for path in _toml_files(DATA / "nodes")]
    by_size = {int(node.feature_size.value): node for node in nodes}
    circuits = load_model(DATA / "circuits.toml", Circuits, what="circuits")
    calibration = load_model(DATA / "calibration.toml", Calibration, what="scales")
    manufacturing = load_model(DATA / "manufacturing.toml", Manufacturing, what="manufacturing data")
    return Technology(MappingProxyType(shipped), MappingProxyType(by_size), circuits, calibration, manufacturing)


def load_cell(path: Path) -> MemoryCell:
    """One bit cell from its TOML file.

    Raises:
        UserError: unreadable file, unknown family, unknown or missing key, wrong unit, number without unit or
            source.
    """
    data = read_toml(path, what="a bit cell")
    family = data.get("family")
    if family is None:
        raise UserError("this key is missing", file=path, key="family", allowed=listed(CELL_FAMILIES))
    if not isinstance(family, str) or family not in CELL_FAMILIES:
        raise unknown_name("cell family", family, CELL_FAMILIES, file=path, key="family")
    return validated(data, CELL_FAMILIES[family], file=path)


def _toml_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError("is not a folder of bit cells (*.toml)", file=folder)
    return sorted(folder.glob("*.toml"))
