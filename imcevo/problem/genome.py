"""The layout of a genome: which variables stand where in a row. The only place that knows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imcevo.hardware import DesignSpace
from imcevo.mapping.policies import MappingGenes

HARDWARE, MAPPING = "hardware", "mapping"


@dataclass(frozen=True)
class Block:
    """Neighbouring variables that are decoded together; variable i takes whole numbers 0 to ``upper[i]``.

    Recombination exchanges variables of equal `linkage` together.
    """

    name: str
    variables: tuple[str, ...]
    upper: NDArray[np.int64]
    linkage: NDArray[np.int64]


@dataclass(frozen=True)
class Genome:
    """A row of whole numbers as named blocks, left to right."""

    blocks: tuple[Block, ...]

    @classmethod
    def of(cls, space: DesignSpace, mapping: MappingGenes) -> Genome:
        """The genome of a problem: the hardware's genes, then those that the mapping policy reads."""
        hardware = Block(HARDWARE, space.genes, space.upper, np.arange(len(space.genes)))
        return cls((hardware, Block(MAPPING, mapping.names, mapping.upper, mapping.linkage)))

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(name for block in self.blocks for name in block.variables)

    @property
    def upper(self) -> NDArray[np.int64]:
        """Largest value of every variable ``[n_var]``."""
        return np.concatenate([block.upper for block in self.blocks])

    @property
    def linkage(self) -> NDArray[np.int64]:
        """Which variables belong together, numbered from 0, left to right ``[n_var]``."""
        parts, first = [], 0
        for block in self.blocks:
            parts.append(block.linkage + first)
            first += int(block.linkage.max(initial=-1)) + 1
        return np.concatenate(parts)

    def place(self, name: str) -> slice:
        """The columns of a block."""
        start = 0
        for block in self.blocks:
            if block.name == name:
                return slice(start, start + len(block.variables))
            start += len(block.variables)
        raise KeyError(name)
