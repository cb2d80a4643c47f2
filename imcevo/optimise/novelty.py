"""No design is evaluated twice: a set of everything evaluated, and ways to find what is not in it yet."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_PROPOSAL_ROUNDS = 12  # of the optimiser's own operators before uniform sampling helps out
_SAMPLING_ROUNDS = 8  # of uniform sampling before the space is scanned design by design
_SCAN_CHUNK = 65_536
_HASH_SEED = 0x1D_C0DE


class Searchable(Protocol):
    """A space of genomes: variable i takes the whole numbers 0 to ``upper[i]``."""

    @property
    def upper(self) -> NDArray[np.int64]: ...

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        """The one genome ``[n, n_var]`` that stands for all that mean the same design; idempotent."""

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`n` uniform genomes ``[n, n_var]``."""


class KeySet:
    """A growing set of 64-bit keys as sorted runs of geometrically decreasing length.

    Eight bytes per key, log2(n) binary searches per question, each key copied O(log n) times in all.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.uint64]] = []

    def __len__(self) -> int:
        return sum(len(run) for run in self._runs)

    def contains(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of `keys` ``[n]`` are in the set."""
        found = np.zeros(len(keys), dtype=bool)
        for run in self._runs:
            place = np.minimum(np.searchsorted(run, keys), len(run) - 1)
            found |= run[place] == keys
        return found

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Add `keys` ``[n]``, none of which is in the set."""
        if len(keys) == 0:
            return
        run = np.sort(keys)
        while self._runs and len(self._runs[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._runs.pop(), run]), kind="stable")
        self._runs.append(run)


class NoveltyFilter:
    """Finds designs that were never registered.

    The key of a genome is its number in the space, exact up to 2^64 genomes. Larger spaces use a multilinear
    hash modulo 2^64: at 10^7 designs one is wrongly taken for known with a probability of about 3e-6, and
    merely skipped.

    Attributes:
        scanned: genomes 0 .. scanned - 1 of the space are known to have been registered.
    """

    def __init__(self, problem: Searchable) -> None:
        self._problem = problem
        radix = [int(upper) + 1 for upper in problem.upper]
        self._size = prod(radix)
        if self._size <= 2**64:
            weights = [prod(radix[i + 1 :]) for i in range(len(radix))]
        else:
            drawn = np.random.default_rng(_HASH_SEED).integers(0, 2**63, size=len(radix))
            weights = [2 * int(w) + 1 for w in drawn]
        self._weights = np.array([w % 2**64 for w in weights], dtype=np.uint64)
        self._radix = np.array(radix, dtype=np.int64)
        self._known = KeySet()
        self.scanned = 0

    def __len__(self) -> int:
        return len(self._known)

    def register(self, X: NDArray[np.int64]) -> None:
        """Canonical genomes ``[n, n_var]``, distinct and new, as evaluated."""
        self._known.add(self._keys(X))

    def collect(
        self, propose: Callable[[int], NDArray[np.int64]], wanted: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Up to `wanted` distinct canonical genomes that are not registered; fewer only if no more exist.

        `propose` is asked first, then uniform samples, at last the space itself, genome by genome.
        """
        found = np.empty((0, len(self._radix)), dtype=np.int64)
        for round_ in range(_PROPOSAL_ROUNDS + _SAMPLING_ROUNDS):
            missing = wanted - len(found)
            if missing <= 0:
                return found
            # Some will be known: a second round costs more than a few genomes too many.
            n = missing + missing // 2 + 8
            X = propose(n) if round_ < _PROPOSAL_ROUNDS else self._problem.sample(n, rng)
            found = np.concatenate([found, self._new(self._problem.canonical(X), found)[:missing]])
        return self._scan(found, wanted)

    def _new(self, X: NDArray[np.int64], besides: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first occurrence of each row of `X` that is neither registered nor in `besides`."""
        return X[self._new_places(X, besides)]

    def _new_places(self, X: NDArray[np.int64], besides: NDArray[np.int64]) -> NDArray[np.intp]:
        keys = self._keys(X)
        first = np.sort(np.unique(keys, return_index=True)[1])
        known = self._known.contains(keys[first]) | np.isin(keys[first], self._keys(besides))
        return first[~known]

    def _scan(self, found: NDArray[np.int64], wanted: int) -> NDArray[np.int64]:
        while len(found) < wanted and self.scanned < self._size <= 2**63:
            numbers = np.arange(self.scanned, min(self.scanned + _SCAN_CHUNK, self._size), dtype=np.int64)
            X = numbers[:, None] // self._weights.astype(np.int64) % self._radix
            X = self._problem.canonical(X)
            places = self._new_places(X, found)[: wanted - len(found)]
            found = np.concatenate([found, X[places]])
            complete = len(found) < wanted
            self.scanned = int(numbers[-1] if complete else numbers[places[-1]]) + 1
        return found

    def _keys(self, X: NDArray[np.int64]) -> NDArray[np.uint64]:
        return (X.astype(np.uint64) * self._weights).sum(axis=1, dtype=np.uint64)
