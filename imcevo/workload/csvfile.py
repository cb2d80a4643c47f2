"""A user's own network as a CSV of layers.

One line per layer, in the order they run. The header names fields of `Layer` (see there for their meaning);
only `name` must be there, and whatever differs from the field's default; an empty cell is the default. Whole
numbers are digits; `dynamic`, `sequential`, `from_dram`, `to_dram` are 0 or 1; layers that share their weights name
the same tensor under `stored_as`. Lines that start with ``#`` are comments, but for ``# name: ...``,
``# family: ...`` and ``# description: ...``, which describe the network (otherwise the file's name, ``other`` and
nothing).

    # family: cnn
    name,kind,C,M,P,Q,R,S,stride_h,stride_w,pad_h,pad_w,H,W,ops,from_dram,to_dram
    conv,matrix,3,16,16,16,3,3,2,2,1,1,32,32,,1,
    relu,elementwise,16,16,16,16,,,,,,,16,16,4096,,
    fc,matrix,4096,10,,,,,,,,,,,,,1

Sizes of a matrix layer must agree. Along each axis every window touches the input,
(P - 1) stride - pad < H and pad < R, and no window that fits without padding at the end is left out,
P >= floor((H + pad - R) / stride) + 1.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from imcevo.config import read_text
from imcevo.errors import UserError, listed, unknown_name
from imcevo.workload.layers import KINDS, Layer
from imcevo.workload.network import FAMILIES, Network
from imcevo.workload.statistics import INPUT_STATISTICS

LARGEST_CSV_BYTES = 16 * 2**20
MOST_LAYERS = 100_000
LARGEST_KERNEL = 4096
# Volumes up to this are whole numbers in float64 too.
LARGEST_VOLUME = 2**53

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Layer)}
_METADATA = ("name", "family", "description")
_COMMENT_KEY = re.compile(r"#\s*(\w+)\s*:\s*(.*)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:\[\]-]{0,119}")
_NAME_ALLOWED = "up to 120 letters, digits or any of _ . / : - [ ]"
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
_VOLUMES = ("macs", "weights", "input_elements", "output_elements", "parameters", "ops", "held_elements")
_AXES = (("P", "R", "stride_h", "pad_h", "H"), ("Q", "S", "stride_w", "pad_w", "W"))


def read_network_csv(path: Path | str) -> Network:
    """The network in a layer CSV.

    Raises:
        UserError: unreadable, larger than `LARGEST_CSV_BYTES` or `MOST_LAYERS`, an unknown or repeated
            column, or the first bad cell, with its line and column.
    """
    path = Path(path)
    about = {"name": path.stem, "family": "other", "description": ""}
    header: list[str] = []
    layers: dict[str, Layer] = {}
    text = read_text(path, what="a network's layer CSV", largest_bytes=LARGEST_CSV_BYTES)
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            said = _COMMENT_KEY.fullmatch(line.strip())
            if said and said[1] in _METADATA:
                about[said[1]] = said[2]
            continue
        if not line.strip():
            continue
        cells = _cells(line, path, number)
        if not header:
            header = _checked_header(cells, path, number)
            continue
        layer = _read_layer(header, cells, path, number)
        if layer.name in layers:
            place = f"line {number}: name"
            raise UserError("names an earlier layer too", file=path, key=place, value=layer.name)
        layers[layer.name] = layer
        if len(layers) > MOST_LAYERS:
            raise UserError("has too many layers", file=path, allowed=f"at most {MOST_LAYERS}")
    if not layers:
        raise UserError("has no layers", file=path, allowed="a header line and one line per layer")
    family = about["family"]
    if family not in FAMILIES:
        raise UserError("is not a family", file=path, key="family", value=family, allowed=listed(FAMILIES))
    return Network(about["name"], family, about["description"], tuple(layers.values()))


def write_network_csv(network: Network, path: Path | str) -> None:
    """Write a network so that `read_network_csv` gives the same layers; columns no layer needs are left out.

    Raises:
        UserError: a layer that the reader would refuse, or a file that cannot be written.
    """
    for layer in network.layers:
        _check(layer, Path(path), layer.name)
    used = [
        name for name, default in _DEFAULTS.items()
        if name == "name" or any(getattr(layer, name) != default for layer in network.layers)
    ]  # fmt: skip
    text = io.StringIO()
    for name in _METADATA:
        text.write(f"# {name}: {' '.join(getattr(network, name).split())}\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(used)
    for layer in network.layers:
        writer.writerow([_written(getattr(layer, name), _DEFAULTS[name]) for name in used])
    try:
        Path(path).write_text(text.getvalue(), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", file=path) from None


def _written(value: Any, default: Any) -> Any:
    if value == default:
        return ""
    return int(value) if isinstance(value, bool) else value


def _cells(line: str, path: Path, number: int) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except csv.Error as error:
        problem = f"is not a line of a CSV: {error}"
        raise UserError(problem, file=path, key=f"line {number}", value=line) from None


def _checked_header(cells: list[str], path: Path, number: int) -> list[str]:
    for name in cells:
        if name not in _DEFAULTS:
            raise unknown_name("column", name, _DEFAULTS, file=path, key=f"line {number}")
        if cells.count(name) > 1:
            raise UserError("is there twice", file=path, key=f"line {number}: column", value=name)
    if "name" not in cells:
        raise UserError("has no column 'name'", file=path, key=f"line {number}", value=",".join(cells))
    return cells


def _read_layer(header: list[str], cells: list[str], path: Path, number: int) -> Layer:
    place = f"line {number}"
    if len(cells) != len(header):
        problem = f"has {len(cells)} cells, the header has {len(header)}"
        raise UserError(problem, file=path, key=place, value=",".join(cells))
    given = {
        name: _parsed(name, cell, path, f"{place}: {name}")
        for name, cell in zip(header, cells, strict=True)
        if cell or name == "name"
    }
    try:
        layer = Layer(**given)
    except UserError as error:
        column = str(error.key).rpartition(" ")[2]
        raise UserError(
            error.problem, file=path, key=f"{place}: {column}", value=error.value, allowed=error.allowed
        ) from None
    _check(layer, path, place)
    return layer


def _parsed(name: str, cell: str, path: Path, place: str) -> Any:
    """A cell as its column's type."""
    allowed = {"name": None, "stored_as": None, "kind": KINDS, "statistics": INPUT_STATISTICS}
    if name in allowed:
        names = allowed[name]
        if names is not None and cell not in names:
            raise unknown_name(name, cell, names, file=path, key=place)
        return cell
    if isinstance(_DEFAULTS[name], bool):
        if cell not in ("0", "1"):
            raise UserError("is neither 0 nor 1", file=path, key=place, value=cell, allowed="0, 1")
        return cell == "1"
    if not _WHOLE_NUMBER.fullmatch(cell):
        raise UserError("is not a whole number", file=path, key=place, value=cell, allowed="digits")
    return int(cell)


def _check(layer: Layer, path: Path, place: str) -> None:
    """What a single cell cannot show: names, volumes, and sizes that must agree."""

    def refuse(column: str, problem: str, allowed: str) -> UserError:
        value = getattr(layer, column)
        return UserError(problem, file=path, key=f"{place}: {column}", value=value, allowed=allowed)

    if not _NAME.fullmatch(layer.name):
        raise refuse("name", "is not a layer name", _NAME_ALLOWED)
    if layer.stored_as and not _NAME.fullmatch(layer.stored_as):
        raise refuse("stored_as", "is not the name of a tensor", _NAME_ALLOWED)
    if layer.parameters < -1:
        raise refuse("parameters", "is negative", "0 or more, or -1 for as many as the matrix has weights")
    for column in ("R", "S"):
        if getattr(layer, column) > LARGEST_KERNEL:
            raise refuse(column, "is out of range", f"1 to {LARGEST_KERNEL}")
    for volume in _VOLUMES:
        size = getattr(layer, volume)
        if size > LARGEST_VOLUME:
            problem = f"are the {volume} of layer {layer.name!r}"
            raise UserError(problem, file=path, key=place, value=size, allowed="up to 2^53")
    if layer.kind != "matrix":
        return
    for outputs, kernel, stride, pad, inputs in _AXES:
        P, R, step, before, H = (getattr(layer, name) for name in (outputs, kernel, stride, pad, inputs))
        if before >= R:
            raise refuse(pad, f"pads whole windows of {kernel} = {R}", f"less than {kernel}")
        fewest, most = max(0, H + before - R) // step + 1, (H - 1 + before) // step + 1
        if not fewest <= P <= most:
            from_sizes = f"{inputs} = {H}, {kernel} = {R}, {stride} = {step}, {pad} = {before}"
            raise refuse(outputs, f"does not follow from {from_sizes}", f"{fewest} to {most}")
