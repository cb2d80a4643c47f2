"""Import models of other makers and compare them with executed runs; prints a table in Markdown.

    python -m tests.tools.onnx_real_models

The models are those of the package onnx and, where they and onnxruntime are installed, of the packages that
tests/workload/onnx_real.py names. Exits with 1 if a model that is imported differs.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter

from tests.workload.onnx_executed import Executed, by_reference
from tests.workload.onnx_real import (
    NOTHING,
    OF_PACKAGES,
    Case,
    cases_of_onnx,
    counts_of,
    in_onnxruntime,
    network_of,
    run,
)

COLUMNS = "| model | layers | products | MACs | parameters | cells | MACs, executed | parameters, executed | verdict |"


def verdict(got: Executed, want: Executed) -> str:
    """Whether an import is right."""
    wrong = [key for key in vars(want) if getattr(got, key) != getattr(want, key)]
    if wrong:
        return "differs: " + ", ".join(f"{key} {getattr(got, key)} for {getattr(want, key)}" for key in wrong)
    return "equal, no products" if want == NOTHING else "equal"


def row(case: Case) -> tuple[str, str]:
    """The verdict and the table's line of a case."""
    network = network_of(case)
    if isinstance(network, str):
        told = f"refused: {network.split('onnx: ')[-1]}"
        return told, f"| {case.name} |{' |' * 7} {told} |"
    got = counts_of(network)
    # ONNX Runtime lacks the oldest operators, which the package onnx's own models have.
    want = run(case, (in_onnxruntime() if case.package != "onnx" else None) or by_reference)
    told = verdict(got, want)
    layers = len(network.layers) if network else 0
    counts = (layers, len(got.products), got.macs, got.parameters, got.array_weights, want.macs, want.parameters)
    return told, f"| {case.name} | {' | '.join(f'{count:,}' for count in counts)} | {told} |"


def main() -> int:
    warnings.simplefilter("ignore")
    print(COLUMNS)
    print("|---|" + "---:|" * 7 + "---|")
    there = [case for case in OF_PACKAGES if case.path and in_onnxruntime()]
    absent = sorted({case.package for case in OF_PACKAGES} - {case.package for case in there})
    verdicts: Counter[str] = Counter()
    for case in (*there, *cases_of_onnx("light", "pytorch-converted", "pytorch-operator", "simple")):
        told, line = row(case)
        verdicts[told.split(":")[0]] += 1
        print(line, flush=True)
    print()
    print(", ".join(f"{count} {told}" for told, count in verdicts.most_common()))
    if absent:
        print("not there: " + ", ".join(absent))
    return 1 if verdicts["differs"] else 0


if __name__ == "__main__":
    sys.exit(main())
