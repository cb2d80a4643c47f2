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
_EMPTY = np.uint64(2**64 - 1)
_SPREAD = np.uint64(0x9E37_79B9_7F4A_7C15)  # Fibonacci hashing: 2^64 over the golden ratio (Knuth, TAOCP 3, 6.4)
_SMALLEST_TABLE = 2**12
_REHASHED = 2**18


class Searchable(Protocol):
    """A space of genomes: variable i takes the whole numbers 0 to ``upper[i]``."""

    @property
    def upper(self) -> NDArray[np.int64]: ...

    def canonical(self, X: NDArray[np.int64]) -> NDArray[np.int64]:
        """The one genome ``[n, n_var]`` that stands for all that mean the same design; idempotent."""

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """`n` uniform genomes ``[n, n_var]``."""


class KeySet:
    """A growing set of 64-bit keys: a hash table with linear probing, at most half full, whole batches at a time.

    16 to 32 bytes per key; a question or an addition costs the same at ten keys and at ten million.
    """

    def __init__(self) -> None:
        self._n = 0
        self._has_empty = False  # the key that marks empty slots is kept apart
        self._resize(_SMALLEST_TABLE)

    def __len__(self) -> int:
        return self._n + self._has_empty

    def contains(self, keys: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of `keys` ``[n]`` are in the set."""
        slots = self._first_slots(keys)
        there = self._table[slots]
        found = there == keys
        pending = np.flatnonzero(~found & (there != _EMPTY))
        slots = slots[pending]
        while len(pending):
            slots = (slots + 1) & self._mask
            there, wanted = self._table[slots], keys[pending]
            found[pending] = there == wanted
            probe_on = (there != wanted) & (there != _EMPTY)
            pending, slots = pending[probe_on], slots[probe_on]
        found[keys == _EMPTY] = self._has_empty
        return found

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Add distinct `keys` ``[n]``, none of which is in the set."""
        self._has_empty |= bool((keys == _EMPTY).any())
        keys = keys[keys != _EMPTY]
        size = len(self._table)
        while 2 * (self._n + len(keys)) > size:
            size *= 2
        if size > len(self._table):
            old = self._table
            self._resize(size)
            for start in range(0, len(old), _REHASHED):
                part = old[start : start + _REHASHED]
                self._insert(part[part != _EMPTY])
        self._insert(keys)
        self._n += len(keys)

    def _resize(self, size: int) -> None:
        self._table = np.full(size, _EMPTY)
        self._mask, self._shift = size - 1, np.uint64(65 - size.bit_length())

    def _first_slots(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        return ((keys * _SPREAD) >> self._shift).astype(np.int64)

    def _insert(self, keys: NDArray[np.uint64]) -> None:
        slots = self._first_slots(keys)
        while len(keys):
            free = self._table[slots] == _EMPTY
            self._table[slots[free]] = keys[free]
            displaced = self._table[slots] != keys  # by another key, of this batch or from before
            keys, slots = keys[displaced], (slots[displaced] + 1) & self._mask


class NoveltyFilter:
    """Finds designs that were never registered.

    The key of a genome is its number in the space, exact up to 2^64 genomes. Larger spaces use a multilinear
    hash modulo 2^64: at 10^7 designs one is wrongly taken for known with a probability of about 3e-6, and
    merely skipped.

    Attributes:
        others: keys of designs that count as registered too, of somebody else who may add to them.
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
        self.others = KeySet()
        self.scanned = 0

    def __len__(self) -> int:
        return len(self._known)

    def register(self, X: NDArray[np.int64]) -> None:
        """Canonical genomes ``[n, n_var]``, distinct and new, as evaluated."""
        self._known.add(self.keys(X))

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
        keys = self.keys(X)
        first = np.sort(np.unique(keys, return_index=True)[1])
        known = self._known.contains(keys[first])
        if len(besides):
            known |= np.isin(keys[first], self.keys(besides))
        if len(self.others):
            known |= self.others.contains(keys[first])
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

    def keys(self, X: NDArray[np.integer]) -> NDArray[np.uint64]:
        """The keys of canonical genomes ``[n, n_var]``."""
        return (X.astype(np.uint64) * self._weights).sum(axis=1, dtype=np.uint64)
