"""The hardware parameters a design consists of: name, unit, range, meaning, who reads it, what forbids its values.

The only list of them: a further gene is one more `Parameter` beside the module that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from imcevo.errors import UserError, listed, unknown_name
from imcevo.hardware import forbidden
from imcevo.hardware.forbidden import Forbidden

Value = str | int | float
# Who reads a parameter: every chip of the physical profile, chips with two kinds of tiles, a problem in which designs
# choose their bits, a mapping policy, or the published profile alone.
Reader = Literal["physical", "hybrid", "precision", "mapping", "published"]


@dataclass(frozen=True)
class Parameter:
    """One hardware parameter; its name is the key in problem files, design files and result columns.

    Attributes:
        name: design key, with its SI unit as suffix where it has one.
        kind: ``name`` (one of a set of names), ``integer`` or ``real``.
        low, high: inclusive range of numbers.
        meaning: one line for tables and documentation.
        reader: who reads it; see `keys_of`.
        forbidden: what makes values impossible; None: all in range are possible.
    """

    name: str
    kind: Literal["name", "integer", "real"]
    meaning: str
    low: float = 0.0
    high: float = 0.0
    reader: Reader = "physical"
    forbidden: Forbidden | None = None

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        if self.kind == "name":
            return "a name"
        return f"{'whole numbers' if self.kind == 'integer' else 'numbers'} from {self.low:g} to {self.high:g}"

    def checked(self, value: object, *, file: object = None, key: str | None = None) -> Value:
        """`value` as this parameter's type.

        Raises:
            UserError: wrong type or out of range.
        """
        where = {"file": None if file is None else str(file), "key": key or self.name}
        if self.kind == "name":
            if not isinstance(value, str):
                raise UserError("is not a name (a quoted string)", value=value, allowed=self.allowed, **where)
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError("is not a number", value=value, allowed=self.allowed, **where)
        if self.kind == "integer" and value != int(value):
            raise UserError("is not a whole number", value=value, allowed=self.allowed, **where)
        if not self.low <= value <= self.high:
            raise UserError("is out of range", value=value, allowed=self.allowed, **where)
        return int(value) if self.kind == "integer" else float(value)


LATENCY_WEIGHT = "mapping_latency_weight"


def _named(*parameters: Parameter) -> dict[str, Parameter]:
    return {parameter.name: parameter for parameter in parameters}


PARAMETERS: dict[str, Parameter] = _named(
    Parameter("cell", "name", "bit cell of the arrays"),
    Parameter("node_nm", "integer", "CMOS node", 7, 130),
    Parameter(
        "voltage_V", "real", "supply voltage of logic, drivers and converters", 0.4, 1.8,
        forbidden=Forbidden(("node_nm",), forbidden.voltage, "outside the node's supply range"),
    ),
    Parameter(
        "bits_per_cell", "integer", "weight bits stored in one cell", 1, 8,
        forbidden=Forbidden(("cell",), forbidden.bits_per_cell, "the cell stores fewer bits"),
    ),
    Parameter("rows", "integer", "rows (word lines) of one array", 8, 4096),
    Parameter(
        "rows_active", "integer", "word lines on at once; a taller array is read in several row steps", 1, 4096,
        forbidden=Forbidden(
            ("cell", "rows"), forbidden.rows_active, "the array has fewer rows; an adder tree sums all of them"
        ),
    ),
    Parameter("cols", "integer", "columns (bit lines) of one array", 8, 4096),
    Parameter(
        "adc_type", "name", "converter at the columns: sar, flash, or none for digital cells",
        forbidden=Forbidden(("cell",), forbidden.adc_type, "digital cells have no ADC; analog cells need one",
            (forbidden.NO_ADC, forbidden.DEFAULT_ADC)),
    ),
    Parameter(
        "adc_bits", "integer", "resolution of the ADC; 0 where the cell has none", 0, 14,
        forbidden=Forbidden(
            ("cell",), forbidden.adc_bits, "digital cells have no ADC; analog cells need at least 1 bit"
        ),
    ),
    Parameter(
        "adc_range", "name", "full_scale: every sum that the active rows can give; calibrated: mean +- 4 sigma",
        forbidden=Forbidden(("cell",), forbidden.adc_range, "digital cells have no ADC", (forbidden.FULL_SCALE,)),
    ),
    Parameter(
        "cols_per_adc", "integer", "columns that share one ADC (digital cells: one adder tree)", 1, 512,
        forbidden=Forbidden(("cols",), forbidden.cols_per_adc, "the array has fewer columns"),
    ),
    Parameter(
        "dac_bits", "integer", "input bits applied to a word line in one input cycle", 1, 8,
        forbidden=Forbidden(("cell",), forbidden.dac_bits, "the cell takes fewer input bits at once"),
    ),
    Parameter("macros_per_tile", "integer", "macros that share a tile's buffers", 1, 1024),
    Parameter("tiles_per_group", "integer", "tiles at one router", 1, 1024),
    Parameter("router_groups", "integer", "router groups of the chip", 1, 1024),
    Parameter("input_buffer_B", "integer", "input buffer of one tile, bytes", 64, 2**24),
    Parameter("output_buffer_B", "integer", "output (partial sum) buffer of one tile, bytes", 64, 2**24),
    Parameter("glb_depth", "integer", "words of 2048 bits in the global buffer", 16, 2**20),
    Parameter("dram", "name", "off-chip memory: lpddr4 or hbm2"),
    Parameter("digital_lanes", "integer", "multiply-accumulate lanes of the chip's digital unit", 1, 65536),
    Parameter("digital_cell", "name", "digital bit cell of a hybrid chip's digital tiles", reader="hybrid"),
    Parameter(
        "digital_groups", "integer", "router groups with digital tiles, the others have `cell`", 0, 1024,
        reader="hybrid",
    ),
    Parameter(
        "input_bits", "integer", "bits of inputs, where the design chooses them and not the problem", 1, 8,
        reader="precision",
    ),
    Parameter(
        "weight_bits", "integer", "bits of weights, where the design chooses them and not the problem", 1, 8,
        reader="precision",
    ),
    Parameter(
        LATENCY_WEIGHT, "real", "what latency counts beside energy in the exact mapper", 0, 1e6, reader="mapping"
    ),
    Parameter(
        "cycle_s", "real", "clock period of the idealised clock (published profile)", 1e-10, 1e-6,
        reader="published",
    ),
)

GLB_WIDTH_BITS = 2048


def keys_of(reader: Reader) -> tuple[str, ...]:
    """Names of the parameters that a reader asks for."""
    return tuple(name for name, known in PARAMETERS.items() if known.reader == reader)


def parameter(name: str, *, file: object = None, key: str | None = None) -> Parameter:
    """The parameter of that name.

    Raises:
        UserError: unknown name; the nearest valid one is suggested.
    """
    try:
        return PARAMETERS[name]
    except KeyError:
        raise unknown_name(
            "hardware parameter", name, PARAMETERS, file=None if file is None else str(file), key=key or name
        ) from None


def require_keys(given: object, needed: object, *, file: object = None, key: str = "") -> None:
    """Check that a mapping has exactly the `needed` keys.

    Raises:
        UserError: an unknown key (with a suggestion) or a missing one.
    """
    given_names, needed_names = list(given), list(needed)  # type: ignore[call-overload]
    prefix = f"{key}." if key else ""
    where = None if file is None else str(file)
    for name in given_names:
        if name not in needed_names:
            raise unknown_name("hardware parameter of this problem", name, needed_names, file=where, key=prefix + name)
    missing = [name for name in needed_names if name not in given_names]
    if missing:
        raise UserError(f"missing: {listed(missing)}", file=where, key=key or None, allowed=listed(needed_names))
