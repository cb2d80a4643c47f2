"""Work items to layers: element-wise work joined to passes, activations fused behind matrix layers, tensors held."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace
from math import prod

from imcevo.workload.layers import Layer
from imcevo.workload.onnx_import.elementwise import RELU_LIKE
from imcevo.workload.onnx_import.graph import first_to_last
from imcevo.workload.onnx_import.items import Item, Lowering

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_./:\[\]-]+")
_FIELDS = frozenset(field.name for field in fields(Layer))
_LONGEST_NAME = 110


def layers_of(state: Lowering) -> list[Layer]:
    """The layers of a lowered graph in an order in which they can run."""
    items = _ordered(_joined(state), state)
    results = {base for name in state.graph.outputs if name in state.tensors for base in state.tensors[name].ids}
    readers = _readers(items)
    held = _held(items, readers, state)
    names: Counter[str] = Counter()
    layers: list[Layer] = []
    made_by: dict[int, int] = {}
    for index, item in enumerate(items):
        fused = _is_fused(item, readers, results, state)
        output = any(base in results for base in item.writes)
        if fused and output:
            # It leaves with the matrix layer's results.
            behind = made_by[next(iter(item.reads))]
            layers[behind] = replace(layers[behind], to_dram=True)
        layer = _layer(item, state, _name(item.name, names), held[index], fused=fused, to_dram=output and not fused)
        made_by.update(dict.fromkeys(item.writes, len(layers)))
        layers.append(layer)
    return _sharing(layers, items, state)


def _sharing(layers: list[Layer], items: list[Item], state: Lowering) -> list[Layer]:
    """Name the stored tensor of layers that share one; one of them says all values that they store."""
    users = [index for index, item in enumerate(items) if item.weight is not None]
    groups = state.constants.overlap([use for index in users if (use := items[index].weight) is not None])
    names: Counter[str] = Counter()
    for places, tensor, shared in groups:
        chosen = [users[place] for place in places]
        if shared:
            for index in chosen:
                most = min(shared, layers[index].weights)
                layers[index] = replace(layers[index], shared_weights=most)
        if len(chosen) == 1:
            continue
        name = _name(tensor, names)
        total = sum(layers[index].n_parameters for index in chosen)
        largest = max(chosen, key=lambda index: (layers[index].n_parameters, -index))
        for index in chosen:
            parameters = total if index == largest else layers[index].n_parameters
            layers[index] = replace(layers[index], stored_as=name, parameters=parameters)
    return layers


def _joined(state: Lowering) -> list[Item]:
    """Element-wise items merged into the pass that makes one of their inputs, where no other work lies between."""
    needs: dict[int, set[int]] = {}  # pass -> passes whose results it reads
    kept: list[Item] = []
    place: dict[int, int] = {}
    for item in state.items:
        makers = {
            place[id(maker)]: maker
            for base in (*item.reads, *item.operand)
            if (maker := state.maker[base]) is not None and id(maker) in place
        }
        target = next(
            (index for index in sorted(makers, reverse=True) if _may_join(item, makers[index], index, makers, needs)),
            None,
        )
        if target is None:
            target = place[id(item)] = len(kept)
            kept.append(item)
            needs[target] = set(makers)
        else:
            _merge(kept[target], item)
            needs[target] |= set(makers) - {target}
        for base in item.writes:
            state.maker[base] = kept[target]
    return kept


def _may_join(item: Item, maker: Item, index: int, makers: dict[int, Item], needs: dict[int, set[int]]) -> bool:
    """Whether `item` can be done in the pass `maker` without that pass waiting for itself."""
    if not item.joins or not maker.joins or prod(item.shape) > prod(maker.shape):
        return False
    reached, ahead = set(), [other for other in makers if other != index]
    while ahead:
        other = ahead.pop()
        if other == index:
            return False
        if other not in reached:
            reached.add(other)
            ahead.extend(needs[other])
    return True


def _merge(into: Item, item: Item) -> None:
    """One more operator in a pass; what only the pass itself reads is never written."""
    for base, elements in item.reads.items():
        if base not in into.writes:
            into.reads[base] = max(into.reads[base], elements)
    into.writes += item.writes
    into.ops += item.ops
    into.parameters += item.parameters
    into.pointwise = into.pointwise and item.pointwise
    into.gated = into.gated or item.gated
    into.last, into.passes = item.last, item.passes


def _readers(items: list[Item]) -> dict[int, list[int]]:
    """Base tensor -> positions of the items that read it."""
    readers: dict[int, list[int]] = {}
    for index, item in enumerate(items):
        for base in (*item.reads, *item.operand):
            readers.setdefault(base, []).append(index)
    return readers


def _ordered(items: list[Item], state: Lowering) -> list[Item]:
    """Every item after those whose results it reads, otherwise in the model's order."""
    maker = {base: index for index, item in enumerate(items) for base in item.writes}
    needs = [
        {maker[base] for base in (*item.reads, *item.operand) if base in maker} - {index}
        for index, item in enumerate(items)
    ]
    order = [items[index] for index in first_to_last(needs)]
    assert len(order) == len(items), "joined element-wise work depends on itself"
    # What is written inside a pass and read by nobody else never leaves it.
    wanted = {base for name in state.graph.outputs if name in state.tensors for base in state.tensors[name].ids}
    for item in order:
        wanted.update((*item.reads, *item.operand))
    for item in order:
        item.writes = [base for base in item.writes if base in wanted] or item.writes[-1:]
    return order


def _held(items: list[Item], readers: dict[int, list[int]], state: Lowering) -> list[int]:
    """Elements alive beside each item's own operands and results, because later items read them."""
    last = {base: positions[-1] for base, positions in readers.items()}
    alive: set[int] = set()
    held = []
    for index, item in enumerate(items):
        own = {*item.reads, *item.operand, *item.writes}
        held.append(item.state + sum(state.elements[base] for base in alive - own))
        alive.update(item.writes)
        alive.update(base for base in item.reads if state.maker[base] is None)
        alive = {base for base in alive if last.get(base, -1) > index}
    return held


def _is_fused(item: Item, readers: dict[int, list[int]], results: set[int], state: Lowering) -> bool:
    """Work on single values of one tensor on its way to the buffer, which nobody else reads."""
    if item.kind != "elementwise" or not item.pointwise or len(item.reads) != 1 or len(item.writes) != 1:
        return False
    (base,) = item.reads
    maker = state.maker[base]
    alone = len(readers[base]) == 1 and base not in results
    return alone and maker is not None and maker.kind in ("matrix", "elementwise") and not maker.pointwise


def _layer(item: Item, state: Lowering, name: str, held: int, *, fused: bool, to_dram: bool) -> Layer:
    from_dram = any(state.maker[base] is None for base in item.reads)
    common = {"held_elements": held, "from_dram": from_dram, "to_dram": to_dram, "parameters": item.parameters}
    if item.kind == "elementwise" and not item.sizes:
        taken = sum(item.reads.values())
        given = sum(state.elements[base] for base in item.writes)
        return Layer(name, "elementwise", **_image(item, taken, given), ops=item.ops, fused=fused, **common)  # type: ignore[arg-type]
    sizes = {key: value for key, value in item.sizes.items() if key in _FIELDS}
    sizes |= {**common, "name": name, "kind": item.kind, "ops": item.ops}
    if item.kind == "matrix":
        sizes["statistics"] = _statistics(item, state)
    return Layer(**sizes)


def _image(item: Item, taken: int, given: int) -> dict[str, int]:
    """Sizes of element-wise work: channels and pixels where volumes are multiples of them, else flat."""
    shape = item.shape
    rows, cols = (shape[2], shape[3]) if len(shape) == 4 else (prod(shape[:-1]), 1) if len(shape) > 1 else (1, 1)
    pixels = rows * cols
    if pixels and taken % pixels == 0 and given % pixels == 0 and taken and given:
        return {"C": taken // pixels, "M": given // pixels, "P": rows, "Q": cols, "H": rows, "W": cols}
    return {"C": max(1, taken), "M": max(1, given)}


def _statistics(item: Item, state: Lowering) -> str:
    makers = [state.maker[base] for base in item.reads]
    if not makers or any(maker is None for maker in makers):
        return "signed"
    return "relu" if item.positive or all(_is_relu(maker, state) for maker in makers if maker) else "signed"


def _is_relu(maker: Item, state: Lowering) -> bool:
    """Whether results are distributed as behind a ReLU; pooling and copying keep how values are distributed."""
    while maker.passes:
        before = [state.maker[base] for base in maker.reads]
        if len(before) != 1 or before[0] is None or before[0] is maker:
            return bool(before) and all(one is not None and one is not maker and _is_relu(one, state) for one in before)
        maker = before[0]
    gated = maker.gated and maker.last == "Mul" and len(maker.reads) == 1
    return maker.last in RELU_LIKE or gated


def _name(name: str, names: Counter[str]) -> str:
    plain = _NOT_A_NAME.sub("_", name).strip("/._:-[]")[-_LONGEST_NAME:].lstrip("/._:-[]") or "layer"
    names[plain] += 1
    return plain if names[plain] == 1 else f"{plain}.{names[plain]}"
