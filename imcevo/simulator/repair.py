"""Values that a bit cell or a node forbids, and what they are changed to: visible, never punished silently.

What forbids them stands with the parameters (`imcevo.hardware.forbidden`).
"""

from __future__ import annotations

from collections.abc import Sequence

from imcevo.hardware import PARAMETERS, Design, DesignTable, table_of
from imcevo.simulator.results import Repair
from imcevo.technology import Technology

_FORBIDDEN = {name: known.forbidden for name, known in PARAMETERS.items() if known.forbidden is not None}

# What the repaired value of a key depends on beside itself; none of these is ever changed.
READS = {name: forbidden.reads for name, forbidden in _FORBIDDEN.items()}


def repair_designs(designs: DesignTable, technology: Technology) -> DesignTable:
    """Designs with forbidden values replaced by the nearest allowed ones; idempotent."""
    names = dict(designs.names)
    for key, forbidden in _FORBIDDEN.items():
        if forbidden.names:
            names[key] = tuple(dict.fromkeys((*names[key], *forbidden.names)))
    known = DesignTable(designs.columns, names)
    return known.replace(**{key: forbidden.rule(known, technology) for key, forbidden in _FORBIDDEN.items()})


def repairs_of(design: Design, technology: Technology) -> Sequence[Repair]:
    """What `repair_designs` changes in one design, with the reason."""
    used = repair_designs(table_of([design]), technology).design(0)
    return [
        Repair(key, design[key], used[key], forbidden.reason)
        for key, forbidden in _FORBIDDEN.items() if used[key] != design[key]
    ]  # fmt: skip
