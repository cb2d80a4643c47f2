"""What a chip physically lacks to run a suite, amounts and sentences: cells, ADC bits, endurance, pipeline buffer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignTable
from imcevo.mapping.kernel_records import STREAMED
from imcevo.portable.arrays import log2, row_sums
from imcevo.simulator.bound_suite import BoundSuite
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.parts import Counts, Part
from imcevo.simulator.weight_writes import worn_out, writes_per_inference
from imcevo.technology import Technology

CAPACITY, ADC, ENDURANCE, PIPELINE_BUFFER = "capacity_bits", "adc_bits", "endurance", "pipeline_buffer_bits"


def required_shortfalls(deployment: Deployment) -> tuple[str, ...]:
    """Those that make a design infeasible under a deployment, whatever the problem asks."""
    required: tuple[str, ...] = () if deployment.mode == "streamed" else (CAPACITY,)
    if deployment.inferences_per_lifetime:
        required += (ENDURANCE,)
    if deployment.execution == "pipelined":
        required += (PIPELINE_BUFFER,)
    return required


def shortfalls_of(
    suite: BoundSuite, technology: Technology, parts: Sequence[Part], counts: Sequence[Counts]
) -> dict[str, NDArray[np.float64]]:
    """By name, how far chips miss each requirement ``[n_designs]``, in its own unit; <= 0 is met."""
    first = parts[0].tiles
    found = {
        CAPACITY: _missing_capacity(suite, parts),
        ADC: missing_adc_bits(first.designs, counts[0].rows_summed),
    }
    lifetime = suite.deployment.inferences_per_lifetime
    if lifetime:
        found[ENDURANCE] = reduce(np.maximum, [
            worn_out(writes_per_inference(suite, part), part.tiles.designs, lifetime, technology) for part in parts
        ])  # fmt: skip
    if suite.pipelined:
        missing = (suite.in_flight_bits[None, :] - first.geometry["glb_bits"][:, None]).max(axis=1)
        found[PIPELINE_BUFFER] = np.where(first.geometry["pipelined"] == 1, missing, 0.0)
    return found


def shortfall_notes(
    suite: BoundSuite, technology: Technology, parts: Sequence[Part], counts: Sequence[Counts]
) -> dict[str, str]:
    """For each missed requirement of one chip ``[1]``, a sentence; on chips of several parts of the capacity alone."""
    if len(parts) > 1:
        return _lacking_parts(parts)
    (part,) = parts
    notes: dict[str, str] = {}
    missing, chip = _missing_bits(suite, part)[0], part.tiles.geometry[0]
    if (missing > 0).any():
        notes[CAPACITY] = _lacking_networks(suite, part, missing)
    lifetime = suite.deployment.inferences_per_lifetime
    if lifetime:
        writes = writes_per_inference(suite, part)
        if worn_out(writes, part.tiles.designs, lifetime, technology)[0] > 0:
            endurance = technology.cell(str(part.tiles.designs.design(0)["cell"])).write_endurance
            notes[ENDURANCE] = (
                f"{lifetime:.3g} inferences write the most written cell {writes.max() * lifetime:.3g} times, "
                f"it endures {endurance:.3g}"
            )
    rows_summed = counts[0].rows_summed
    missing_adc = missing_adc_bits(part.tiles.designs, rows_summed)[0]
    if missing_adc > 0:
        has = part.tiles.designs["adc_bits"][0]
        notes[ADC] = (
            f"{rows_summed[0]} rows summed at {chip['bits_per_cell']} bits per cell and {chip['dac_bits']} "
            f"input bits need {missing_adc + has:.0f} ADC bits to lose nothing, the ADC has {has}"
        )
    return notes


def missing_adc_bits(designs: DesignTable, rows_summed: NDArray[np.int64]) -> NDArray[np.float64]:
    """ADC bits short of a lossless conversion ``[n_designs]``; 0 without an ADC.

    A column sums up to rows_summed * (2^b - 1) * (2^d - 1) levels at b bits per cell and d DAC bits; full-scale
    conversion loses nothing with 2^B >= levels + 1.
    """
    levels = rows_summed * (np.ldexp(1.0, designs["bits_per_cell"]) - 1) * (np.ldexp(1.0, designs["dac_bits"]) - 1)
    return np.where(designs["adc_bits"] > 0, np.ceil(log2(levels + 1)) - designs["adc_bits"], 0.0)


def _missing_capacity(suite: BoundSuite, parts: Sequence[Part]) -> NDArray[np.float64]:
    """Bits of cells short ``[n_designs]``: summed where networks share the chip, the worst where they take turns.

    Cells left over (below 0) in one part are no help to the other.
    """
    missing = [_missing_bits(suite, part) for part in parts]
    swapped = suite.deployment.mode == "swapped"
    of_parts = [bits.max(axis=1) if swapped else row_sums(bits) for bits in missing]
    return of_parts[0] if len(parts) == 1 else reduce(np.add, [np.maximum(bits, 0.0) for bits in of_parts])


def _missing_bits(suite: BoundSuite, part: Part) -> NDArray[np.float64]:
    """Cell bits that each network lacks ``[n_designs, n_networks]``; resident networks are placed in suite order.

    Negative numbers are bits left over (of resident networks: booked on the last one).
    """
    geometry = part.tiles.geometry
    chip = geometry["tiles_per_group"] * geometry["router_groups"]
    tile_bits = geometry["macros_per_tile"] * geometry["rows"] * geometry["cols"] * geometry["bits_per_cell"]
    needed = part.mapping.tiles_needed
    if suite.deployment.mode == "swapped":
        missing = (needed - chip[:, None]).astype(float)
    else:
        so_far = np.cumsum(needed, axis=1)
        missing = np.clip(so_far - chip[:, None], 0, needed).astype(float)
        missing[:, -1] += np.minimum(so_far[:, -1] - chip, 0)
    missing[geometry["deployment"] == STREAMED] = 0.0
    return missing * tile_bits[:, None]


def _lacking_networks(suite: BoundSuite, part: Part, missing: NDArray[np.float64]) -> str:
    needed, chip = part.mapping.tiles_needed[0], part.tiles.geometry[0]
    lacking = "; ".join(
        f"{name} lacks {bits:.0f} bits of cells (it needs {tiles} tiles)"
        for name, bits, tiles in zip(suite.networks, missing, needed, strict=True)
        if bits > 0
    )
    tile_bits = chip["macros_per_tile"] * chip["rows"] * chip["cols"] * chip["bits_per_cell"]
    return (
        f"{lacking}; the chip has {chip['tiles_per_group'] * chip['router_groups']} tiles of {tile_bits} bits, "
        f"all networks together need {needed.sum()}"
    )


def _lacking_parts(parts: Sequence[Part]) -> dict[str, str]:
    lacking = []
    for part in parts:
        needed, geometry = int(part.mapping.tiles_needed.sum()), part.tiles.geometry[0]
        has = int(geometry["tiles_per_group"] * geometry["router_groups"])
        if needed > has:
            lacking.append(f"the {part.tiles.name} part has {has} tiles, the layers on it need {needed}")
    return {CAPACITY: "; ".join(lacking)} if lacking else {}
