"""What the best design's merit hangs on: each gene moved to its neighbours, each constant times and over a factor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import pandas as pd

from imcevo.config import ModelT, StrictModel
from imcevo.errors import UserError
from imcevo.hardware import Value
from imcevo.problem import CodesignProblem
from imcevo.simulator import Simulator
from imcevo.study.measure import repaired
from imcevo.technology.quantity import UNITS, Quantity

# Whole numbers, and the node and supply that other numbers are stated at: changing them would change their meaning.
_NOT_MOVED = ("bits", "voltage", "length")


def sensitivity_table(problem: CodesignProblem, design: Mapping[str, Value], factor: float) -> pd.DataFrame:
    """A row per change of one gene or constant.

    Columns: ``kind`` (gene, constant), ``name``, ``unit`` (of a constant, as its data file states it; a gene has it in
    its name), ``from``, ``to``, ``ratio`` (the problem's one objective over that of the unchanged design),
    ``feasible``. Genes move one step in the order of their list; changes that repair undoes are
    left out.
    """
    base = _objective(problem, design)[0]
    rows = []
    for name, value, moved, changed in _moved_genes(problem, design):
        objective, feasible = _objective(problem, changed)
        rows.append(("gene", name, "", value, moved, objective / base, feasible))
    for name, before, after, simulator in _moved_constants(problem, design, factor):
        objective, feasible = _objective(replace(problem, simulator=simulator), design)
        rows.append(("constant", name, before.unit, before.value, after.value, objective / base, feasible))
    return pd.DataFrame(rows, columns=["kind", "name", "unit", "from", "to", "ratio", "feasible"])


def _moved_genes(
    problem: CodesignProblem, design: Mapping[str, Value]
) -> Iterator[tuple[str, Value, Value, dict[str, Value]]]:
    listed = {gene: problem.space.values[gene] for gene in problem.space.genes}
    # Genes that this design has no use for stand at their lowest value, should a change bring them to life.
    inert = {gene: values[0] for gene, values in listed.items() if design[gene] not in values}
    for gene, values in listed.items():
        if gene in inert:
            continue
        at = values.index(design[gene])
        for index in (at - 1, at + 1):
            if 0 <= index < len(values):
                changed = {**design, **inert, gene: values[index]}
                if repaired(problem, [changed]).design(0) != dict(design):
                    yield gene, design[gene], values[index], changed


def _objective(problem: CodesignProblem, design: Mapping[str, Value]) -> tuple[float, bool]:
    metrics = problem.simulator.simulate(repaired(problem, [design]))
    if problem.n_obj != 1:
        raise UserError("has several objectives", file=problem.file, key="objectives")
    value = float(problem.objective_values(metrics)[0, 0])
    return value, bool((problem.violations(metrics) <= 0).all())


def _moved_constants(
    problem: CodesignProblem, design: Mapping[str, Value], factor: float
) -> Iterator[tuple[str, Quantity, Quantity, Simulator]]:
    """Name, constant, changed constant and simulator: the design's cells, node and DRAM, and all circuits.

    Only the physical profile has a technology to change.
    """
    simulator = problem.simulator
    technology = simulator.technology
    if technology is None:
        return
    node = int(design["node_nm"])
    used = ["cell", "digital_cell"] if design.get("digital_groups") else ["cell"]
    for cell in dict.fromkeys(str(design[key]) for key in used):
        for name, quantity in _constants(technology.cells[cell]):
            for moved in _moved(quantity, factor):
                cells = {**technology.cells, cell: _with(technology.cells[cell], (name,), moved)}
                new = replace(technology, cells=MappingProxyType(cells))
                yield f"{cell}.{name}", quantity, moved, simulator.with_technology(new)
    for name, quantity in _constants(technology.nodes[node]):
        for moved in _moved(quantity, factor):
            nodes = {**technology.nodes, node: _with(technology.nodes[node], (name,), moved)}
            new = replace(technology, nodes=MappingProxyType(nodes))
            yield f"{node}nm.{name}", quantity, moved, simulator.with_technology(new)
    for group in (name for name in type(technology.circuits).model_fields if name != "dram"):
        for name, quantity in _constants(getattr(technology.circuits, group)):
            for moved in _moved(quantity, factor):
                circuits = _with(technology.circuits, (group, name), moved)
                new = replace(technology, circuits=circuits)
                yield f"{group}.{name}", quantity, moved, simulator.with_technology(new)
    kind = str(design["dram"])
    for name, quantity in _constants(technology.dram(kind)):
        for moved in _moved(quantity, factor):
            kinds = {**technology.circuits.dram, kind: _with(technology.circuits.dram[kind], (name,), moved)}
            new = replace(technology, circuits=technology.circuits.model_copy(update={"dram": kinds}))
            yield f"{kind}.{name}", quantity, moved, simulator.with_technology(new)


def _constants(model: object) -> Iterator[tuple[str, Quantity]]:
    if not isinstance(model, StrictModel):
        return
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Quantity) and UNITS[value.unit][0] not in _NOT_MOVED and value.value != 0:
            yield name, value


def _moved(quantity: Quantity, factor: float) -> Iterator[Quantity]:
    for by in (1 / factor, factor):
        # A logarithm moves by the logarithm of the factor.
        log = UNITS[quantity.unit][0] == "log area"
        value = quantity.value + math.log10(by) if log else quantity.value * by
        yield quantity.model_copy(update={"value": value})


def _with(model: ModelT, path: tuple[str, ...], value: Quantity) -> ModelT:
    first, *rest = path
    inner = _with(getattr(model, first), tuple(rest), value) if rest else value
    return model.model_copy(update={first: inner})


