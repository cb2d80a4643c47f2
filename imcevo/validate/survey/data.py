"""Measured chips of a public survey: reading the CSV, and which rows say enough to be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.config import read_text
from imcevo.errors import UserError, did_you_mean, listed
from imcevo.validate.csv_rows import numbered_rows, require_full_rows

SAMPLE = "silicon_survey.csv"
_LARGEST_FILE_BYTES = 2**22
_NAMES = ("chip", "memory", "cell", "compute_model", "is_processor")
# A row without one of these is left out.
_NEEDED = (
    "chip", "node_nm", "memory", "compute_model", "voltage_V", "rows", "cols", "input_bits_per_step",
    "weight_bits_per_step", "adcs", "dot_product_length", "energy_per_one_bit_op_fJ",
)  # fmt: skip
# What a row may lack: the rows read are then those of the dot product; without step time or density, none is compared.
# The density of processors is not compared either.
_OPTIONAL = (
    "adc_bits", "rows_read_per_step", "one_bit_ops_per_step", "energy_per_step_pJ", "step_ns", "one_bit_TOPS_per_mm2",
    "is_processor",
)  # fmt: skip
_MOST_ADC_BITS = 14
_RANGES = {"node_nm": (1, 250), "voltage_V": (0.2, 5)}

# Bit cell of the model by compute model, the first where a chip combines two (QS-QR); non-volatile memories are
# resistive, whatever their compute model.
CELLS = {"QS": "sram_analog_8t", "QR": "sram_charge_10t1c", "IS": "sram_current_12t", "DIMC": "sram_digital"}
_LATCHES = ("SRAM", "eDRAM")
_FLASH = ("flash", "nor")

# Rows of the survey that contradict their own paper: (chip, column, value) -> reason.
_CONTRADICTING = {
    ("3", "adc_bits", 5.0): "5-bit mode of a serial comparator: 31 steps of its 1-bit row in one",
    ("202", "node_nm", 22.0): "22 nm in the table, 28 nm in the title, at a supply that 22 nm does not allow",
}

# What a chip's own paper states otherwise: (title, column, value of the survey) -> (value, remark).
_CORRECTED = {
    ("A 28nm 384kb 6T-SRAM Computation-in-Memory Macro with 8b Precision for AI Edge Chips", "adc_bits", 10.0): (
        5.0, "its converters have 5 bits (IEEE document 9896828), the survey's 10 are those of its output",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Survey:
    """Operating points of chips, one per row.

    Attributes:
        columns: name -> ``[n_points]``; names as str, numbers as float64 with NaN where the survey has none.
        cell: the model's bit cell ``[n_points]``.
        left_out: rows that are not compared, with the reason.
        flagged: rows that are compared in part or with a remark.
    """

    columns: Mapping[str, NDArray[Any]]
    cell: NDArray[np.str_]
    left_out: tuple[str, ...]
    flagged: tuple[str, ...]

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.cell)

    def take(self, chosen: NDArray[np.bool_], reason: str = "") -> Survey:
        """The chosen points; the others are listed as left out where a `reason` is given."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        dropped = tuple(f"chip {chip}: {reason}" for chip in self["chip"][~chosen]) if reason else ()
        return Survey(columns, self.cell[chosen], self.left_out + dropped, self.flagged)

    @property
    def one_bit_ops(self) -> NDArray[np.float64]:
        """Operations of one step, two per 1-bit product ``[n_points]``."""
        bits = self["input_bits_per_step"] * self["weight_bits_per_step"]
        return np.asarray(2 * self["dot_product_length"] * bits * self["adcs"])

    @property
    def energy_per_step_J(self) -> NDArray[np.float64]:
        """Measured ``[n_points]``."""
        return np.asarray(self["energy_per_one_bit_op_fJ"] * 1e-15 * self.one_bit_ops)


def read_survey(path: Path | str | None = None) -> Survey:
    """Rows of a CSV in the survey's form, the shipped half if `path` is None.

    Raises:
        UserError: unreadable file, a needed column missing, a value that is no number, or no row to compare.
    """
    if path is None:
        text = (resources.files("imcevo") / "validate" / "data" / SAMPLE).read_text("utf-8")
    else:
        text = read_text(path, what="a CSV of measured chips", largest_bytes=_LARGEST_FILE_BYTES)
    file = SAMPLE if path is None else path
    rows = numbered_rows(text, file, empty="holds no chip", allowed=f"a header with {listed(_NEEDED)}, and chips")
    header = [name.strip() for name in rows[0][1]]
    for name in _NEEDED:
        if header.count(name) != 1:
            problem = "is missing" + did_you_mean(name, header) if name not in header else "is there twice"
            raise UserError(problem, file=file, key="header", value=name, allowed=listed(_NEEDED))
    require_full_rows(rows, file)
    kept: list[dict[str, Any]] = []
    left_out, flagged = [], []
    for _, cells in rows[1:]:
        point = _point(dict(zip(header, map(str.strip, cells), strict=True)), file)
        reason = _reason_to_leave_out(point)
        if reason:
            left_out.append(f"chip {point['chip'] or '?'}: {reason}")
            continue
        kept.append(point)
        flagged += [f"chip {point['chip']}: {remark}" for remark in _remarks(point)]
    if not kept:
        raise UserError("holds no row that can be compared", file=file, value=left_out[0])
    columns = {name: np.array([point[name] for point in kept]) for name in (*_NEEDED, *_OPTIONAL)}
    columns["rows_read_per_step"] = np.where(
        np.isnan(columns["rows_read_per_step"]), columns["dot_product_length"], columns["rows_read_per_step"]
    )
    return Survey(columns, np.array([_cell(point) for point in kept]), tuple(left_out), tuple(flagged))


def _point(row: Mapping[str, str], file: Path | str) -> dict[str, Any]:
    """Names as text, numbers as float, NaN where empty or 0 (a digital design's ADC bits)."""
    point: dict[str, Any] = {name: row.get(name, "") for name in _NAMES}
    for name in (*_NEEDED, *_OPTIONAL):
        if name in _NAMES:
            continue
        text = row.get(name, "")
        try:
            value = float(text or "nan")
        except ValueError:
            raise UserError("is not a number", file=file, key=f"chip {row['chip']}: {name}", value=text) from None
        low, high = _RANGES.get(name, (0.0, np.inf))
        if value == 0:
            value = np.nan
        if not (np.isnan(value) or low < value < high):
            allowed = f"above {low:g}" + (f", below {high:g}" if high < np.inf else "")
            key = f"chip {row['chip']}: {name}"
            raise UserError("is out of range", file=file, key=key, value=text, allowed=allowed)
        point[name] = value
    point["remarks"] = []
    for (title, column, stated), (value, remark) in _CORRECTED.items():
        if row.get("paper") == title and point[column] == stated:
            point[column] = value
            point["remarks"].append(remark)
    if point["is_processor"]:
        # Its area is that of a processor, not of macros.
        point["one_bit_TOPS_per_mm2"] = np.nan
    return point


def _cell(point: Mapping[str, Any]) -> str:
    model = _first_model(point)
    if point["memory"] in _LATCHES or model == "DIMC":
        return CELLS[model]
    named = f"{point['memory']} {point['cell']}".lower()
    return "flash_nor" if any(name in named for name in _FLASH) else "rram_1t1r"


def _first_model(point: Mapping[str, Any]) -> str:
    return str(point["compute_model"]).split("-")[0]


def _missing(value: Any) -> bool:
    return value == "" or (isinstance(value, float) and np.isnan(value))


def _reason_to_leave_out(point: Mapping[str, Any]) -> str | None:
    """Decided by what the row says, never by the model."""
    missing = [name for name in _NEEDED if _missing(point[name])]
    if missing:
        return f"no {', '.join(missing)}"
    if _first_model(point) not in CELLS:
        return f"compute model {point['compute_model']!r} is none of {listed(CELLS)}"
    if _first_model(point) != "DIMC" and not point["adc_bits"] <= _MOST_ADC_BITS:
        return f"analog with {point['adc_bits']:g} ADC bits" if point["adc_bits"] > 0 else "analog without ADC bits"
    for (chip, column, value), reason in _CONTRADICTING.items():
        if point["chip"] == chip and point[column] == value:
            return reason
    bits = point["input_bits_per_step"] * point["weight_bits_per_step"]
    ops = 2 * point["dot_product_length"] * bits * point["adcs"]
    stated = point["one_bit_ops_per_step"]
    if abs(stated / ops - 1) > 0.1:
        return f"states {stated:g} operations per step, its array makes {ops:g}"
    step_pJ = point["energy_per_one_bit_op_fJ"] * ops * 1e-3
    if abs(step_pJ / point["energy_per_step_pJ"] - 1) > 0.25:
        return f"states {point['energy_per_step_pJ']:g} pJ per step, its operations add up to {step_pJ:.4g}"
    return None


def _remarks(point: Mapping[str, Any]) -> list[str]:
    remarks = list(point["remarks"])
    if np.isnan(point["step_ns"]):
        remarks.append("no step time; compared in energy only")
    if _first_model(point) == "DIMC" and not np.isnan(point["adc_bits"]):
        remarks.append(f"digital; its {point['adc_bits']:g} ADC bits are not used")
    return remarks
