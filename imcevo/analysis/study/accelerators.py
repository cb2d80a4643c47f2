"""Measured programmable digital accelerators, to stand beside the designs of a study."""

from __future__ import annotations

from importlib import resources

import pandas as pd

_FILE = "digital_accelerators.csv"
_DESIGN_BITS = 8


def measured_accelerators() -> pd.DataFrame:
    """A row per chip and operating point with known precision: what its paper reports, scaled to 8-bit operations.

    Columns: ``chip paper venue year node_nm input_bits weight_bits``; ``TOPS_per_W``, ``TOPS`` and ``TOPS_per_mm2`` at
    the chip's own precision (the survey's figures per 1-bit operation over the product of its bits);
    ``TOPS_per_W_8bit``, the survey's figure over 64. Peak figures of the chip, at conditions that the papers
    choose (often sparse data), and without DRAM: an upper bound, not what a network gets.
    """
    path = resources.files("imcevo") / "analysis" / "data" / _FILE
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file, comment="#")
    table = table.dropna(subset=["input_bits_per_step", "weight_bits_per_step", "one_bit_TOPS_per_W"])
    bits = table["input_bits_per_step"] * table["weight_bits_per_step"]
    kept = table[["chip", "paper", "venue", "year", "node_nm"]].copy()
    kept["input_bits"], kept["weight_bits"] = table["input_bits_per_step"], table["weight_bits_per_step"]
    for name in ("TOPS_per_W", "TOPS", "TOPS_per_mm2"):
        kept[name] = table[f"one_bit_{name}"] / bits
    kept["TOPS_per_W_8bit"] = table["one_bit_TOPS_per_W"] / _DESIGN_BITS**2
    return kept.drop_duplicates().reset_index(drop=True)
