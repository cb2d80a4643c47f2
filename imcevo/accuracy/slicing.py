"""How inputs and weights are cut into the slices that arrays multiply, and how the results recombine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError

Coding = Literal["twos_complement", "offset", "differential"]
CODINGS: tuple[Coding, ...] = get_args(Coding)
_MOST_BITS = 16


@dataclass(frozen=True)
class Slicing:
    """Bit slices of unsigned inputs and signed weights.

    An input code is the sum of ``input_significance[i] * x_i``, a weight the sum of
    ``weight_significance[s] * u_s`` minus `weight_offset`. Slices start at the least significant bit; the last one may
    be narrower.

    Attributes:
        input_bits, weight_bits: of the codes; weights are signed, at least 2 bits (offset coding: 1).
        dac_bits: input bits per cycle.
        bits_per_cell: weight bits per cell.
        coding: ``twos_complement`` (the sign bit in a slice of its own), ``offset`` (w + 2^(bits-1) stored, the
            excess subtracted digitally) or ``differential`` (magnitudes of positive and of negative weights).

    Raises:
        UserError: unknown coding, or a number of bits out of range.
    """

    input_bits: int
    weight_bits: int
    dac_bits: int = 1
    bits_per_cell: int = 1
    coding: Coding = "offset"

    def __post_init__(self) -> None:
        if self.coding not in CODINGS:
            raise UserError("is not a weight coding", key="coding", value=self.coding, allowed=", ".join(CODINGS))
        # One bit holds no sign of its own: offset coding alone stores 0 and 1 for -1 and 0.
        fewest = 1 if self.coding == "offset" else 2
        low_high = {"input_bits": (1, _MOST_BITS), "weight_bits": (fewest, _MOST_BITS), "dac_bits": (1, 8),
                    "bits_per_cell": (1, 8)}  # fmt: skip
        for key, (low, high) in low_high.items():
            bits = getattr(self, key)
            if not low <= bits <= high:
                raise UserError("is out of range", key=key, value=bits, allowed=f"{low} to {high}")

    @property
    def largest_input(self) -> int:
        """Full scale of the DAC."""
        return 2**self.dac_bits - 1

    @property
    def largest_cell(self) -> int:
        """Largest cell value."""
        return 2**self.bits_per_cell - 1

    @property
    def input_significance(self) -> NDArray[np.float64]:
        """``[n_input_slices]``."""
        return np.ldexp(1.0, np.arange(0, self.input_bits, self.dac_bits))

    @property
    def weight_significance(self) -> NDArray[np.float64]:
        """Signed, ``[n_weight_slices]``."""
        magnitude = np.ldexp(1.0, np.arange(0, self._stored_bits, self.bits_per_cell))
        if self.coding == "offset":
            return magnitude
        if self.coding == "twos_complement":
            return np.append(magnitude, -float(2 ** (self.weight_bits - 1)))
        return np.concatenate([magnitude, -magnitude])

    @property
    def weight_offset(self) -> int:
        """What the slices add to every weight."""
        return 2 ** (self.weight_bits - 1) if self.coding == "offset" else 0

    @property
    def _stored_bits(self) -> int:
        return self.weight_bits if self.coding == "offset" else self.weight_bits - 1

    def slice_inputs(self, codes: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Input slices ``[n_input_slices, *codes.shape]``.

        Raises:
            UserError: a code outside 0 to 2^input_bits - 1.
        """
        self.check_inputs(codes)
        return _cut(codes.astype(np.int64), self.input_bits, self.dac_bits)

    def check_inputs(self, codes: NDArray[np.integer]) -> None:
        """Check that codes are unsigned and fit.

        Raises:
            UserError: a code outside 0 to 2^input_bits - 1.
        """
        self._check(codes, 0, 2**self.input_bits - 1, "inputs")

    def slice_weights(self, weights: NDArray[np.integer]) -> NDArray[np.uint8]:
        """Cell values ``[n_weight_slices, *weights.shape]``.

        Raises:
            UserError: a weight outside the signed range (differential coding: the symmetric one).
        """
        half = 2 ** (self.weight_bits - 1)
        self._check(weights, 1 - half if self.coding == "differential" else -half, half - 1, "weights")
        values, step = weights.astype(np.int64), self.bits_per_cell
        if self.coding == "offset":
            return _cut(values + half, self.weight_bits, step)
        if self.coding == "twos_complement":
            sign = (values < 0).astype(np.uint8)[np.newaxis]
            return np.concatenate([_cut(values & (half - 1), self.weight_bits - 1, step), sign])
        positive, negative = np.maximum(values, 0), np.maximum(-values, 0)
        return np.concatenate([_cut(part, self.weight_bits - 1, step) for part in (positive, negative)])

    @staticmethod
    def _check(values: NDArray[np.integer], low: int, high: int, key: str) -> None:
        if values.size == 0 or values.min() < low or values.max() > high:
            got = [int(values.min()), int(values.max())] if values.size else []
            raise UserError("are out of range", key=key, value=got, allowed=f"{low} to {high}")


def _cut(codes: NDArray[np.int64], bits: int, step: int) -> NDArray[np.uint8]:
    """Slices of `step` bits, the least significant first."""
    slices = [(codes >> shift) & (2 ** min(step, bits - shift) - 1) for shift in range(0, bits, step)]
    return np.stack(slices).astype(np.uint8)
