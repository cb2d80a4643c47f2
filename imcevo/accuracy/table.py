"""Error ratios of layers on designs, computed once per (statistics, reduction, pieces, conversion) and looked up.

A search meets the same few thousand kinds of conversion again and again. `ErrorTable` keeps every ratio it has
computed, in memory and on disk, and fills only what is missing. A ratio depends on its own key alone, so results do not
depend on the batch, the number of threads or what was known before.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.closed_form import LEAST_ERROR, layer_error
from imcevo.accuracy.disk import file_of, read_entries, write_entries
from imcevo.accuracy.readout import READOUT_DTYPE
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.sources import StatisticsSource
from imcevo.kernels import kernel
from imcevo.portable.elementary import log10

# How a design converts, whatever the layer.
CONVERSION_DTYPE = np.dtype(
    [("dac_bits", np.int64), ("bits_per_cell", np.int64)]
    + [(name, READOUT_DTYPE[name]) for name in READOUT_DTYPE.names or () if name != "folds"]
)
_REDUCTION_DTYPE = np.dtype([("K", np.int64), ("pieces", np.int64)])
_KEY_DTYPE = np.dtype(_REDUCTION_DTYPE.descr + CONVERSION_DTYPE.descr)
_ENTRY_DTYPE = np.dtype([*_KEY_DTYPE.descr, ("error", np.float64)])

EXACT = -1
# A look-up key: number of the conversion, layer, pieces, from the highest bits down.
_LAYER_BITS, _PIECES_BITS = 14, 28
_MOST_CONVERSIONS = 2**20
_MOST_SLOTS = 2**24  # of the look-up table; it starts over when they are taken
_FEWEST_SAVED = 512


class KnownErrors:
    """Error ratios of one source of statistics, kept on disk between runs; read from there when first asked for."""

    def __init__(self, source: StatisticsSource) -> None:
        self.source = source
        self._file = file_of(source.digest)
        self._saved = 0

    @cached_property
    def _known(self) -> dict[bytes, float]:
        known = _as_dictionary(read_entries(self._file, _ENTRY_DTYPE))
        self._saved = len(known)
        self._finalizer = weakref.finalize(self, _save, self._file, known, self._saved)
        return known

    def __call__(self, keys: NDArray[np.void]) -> NDArray[np.float64]:
        """Error ratios of reduced keys ``[n]`` of `_KEY_DTYPE`."""
        names = _as_bytes(keys)
        missing = {name: index for index, name in enumerate(names) if name not in self._known}
        if missing:
            self._compute(keys[list(missing.values())], list(missing))
            if len(self._known) - self._saved >= max(_FEWEST_SAVED, self._saved):
                self.save()
        return np.array([self._known[name] for name in names])

    def _compute(self, keys: NDArray[np.void], names: Sequence[bytes]) -> None:
        """Layers of one slicing and length together, which a parallel kernel works on."""
        group_of = [(int(key["dac_bits"]), int(key["bits_per_cell"]), int(key["K"])) for key in keys]
        order = sorted(range(len(keys)), key=group_of.__getitem__)
        for (dac_bits, bits_per_cell, K), group in groupby(order, key=group_of.__getitem__):
            rows = list(group)
            readouts = np.empty(len(rows), dtype=READOUT_DTYPE)
            for name in READOUT_DTYPE.names or ():
                readouts[name] = keys[rows]["pieces" if name == "folds" else name]
            slicing = Slicing(self.source.input_bits, self.source.weight_bits, dac_bits, bits_per_cell)
            errors = layer_error(self.source.statistics(slicing, K), readouts)
            self._known.update(zip([names[row] for row in rows], errors.tolist(), strict=True))

    def save(self) -> None:
        """Write what is known, and what other processes wrote meanwhile."""
        if len(self._known) == self._saved:
            return
        self._finalizer.detach()
        _save(self._file, self._known, self._saved)
        self._saved = len(self._known)
        self._finalizer = weakref.finalize(self, _save, self._file, self._known, self._saved)


class ErrorTable:
    """Error ratios of a suite's layers.

    Args:
        members: per layer row, the sources of the layers merged in it; empty where it never runs on arrays.
        K: reduction length of every row ``[n_layers]``.
        network: index of every row's network ``[n_layers]``.
    """

    def __init__(
        self, members: Sequence[Sequence[StatisticsSource]], K: NDArray[np.int64], network: NDArray[np.int64]
    ) -> None:
        self._K, self._network = K, np.ascontiguousarray(network)
        # Few sources make many layers, and each reads a file.
        by_digest = {source.digest: source for row in members for source in row}
        known = {digest: KnownErrors(source) for digest, source in by_digest.items()}
        self._members: list[list[KnownErrors]] = [[known[source.digest] for source in row] for row in members]
        # Every source beside how often it stands in each row of layers.
        times = {digest: np.zeros(len(members), dtype=np.int64) for digest in known}
        for index, row in enumerate(members):
            for source in row:
                times[source.digest][index] += 1
        self._times = [(known[digest], times[digest]) for digest in known]
        self._conversions: dict[bytes, int] = {}
        self._start_over()

    def _start_over(self) -> None:
        self._conversions.clear()
        self._listed: list[bytes] = []
        self._keys = np.full(2**12, EXACT, dtype=np.int64)
        self._errors = np.zeros(2**12)
        self._taken = 0

    def snr_dB(
        self, conversions: NDArray[np.void], exact: NDArray[np.bool_], pieces: NDArray[np.int64], n_networks: int
    ) -> NDArray[np.float64]:
        """Compute-SNR of networks ``[n_designs, n_networks]``, dB; the cap of a layer where nothing is lost.

        Args:
            conversions: ``[n_designs]`` of `CONVERSION_DTYPE`.
            exact: designs that compute exactly ``[n_designs]``.
            pieces: reads that a layer's reduction falls into ``[n_designs, n_layers]``; 0: not on arrays.
        """
        return self._summed_dB(conversions, exact, pieces, self._network, n_networks)

    def layer_snr_dB(
        self, conversions: NDArray[np.void], exact: NDArray[np.bool_], pieces: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """As `snr_dB`, of every row of layers on its own ``[n_designs, n_layers]``."""
        n = len(self._network)
        return self._summed_dB(conversions, exact, pieces, np.arange(n), n)

    def _summed_dB(
        self, conversions: NDArray[np.void], exact: NDArray[np.bool_], pieces: NDArray[np.int64],
        sum_of: NDArray[np.int64], n_sums: int,
    ) -> NDArray[np.float64]:  # fmt: skip
        """-10 log10 of the error ratios of layers, summed over those of equal `sum_of` ``[n_layers]``."""
        if self._taken + pieces.size > _MOST_SLOTS // 2 or len(self._listed) + len(pieces) > _MOST_CONVERSIONS:
            self._start_over()
        numbers = self._numbers(conversions)
        snr, complete = np.empty((len(pieces), n_sums)), np.empty(len(pieces), dtype=np.bool_)
        _network_snr(numbers, exact, pieces, sum_of, self._keys, self._errors, snr, complete)
        if not complete.all():
            self._fill(numbers[~complete], pieces[~complete])
            _network_snr(numbers, exact, pieces, sum_of, self._keys, self._errors, snr, complete)
        return snr

    def layer_errors(self, conversion: NDArray[np.void], layer: int, pieces: int) -> list[float]:
        """Error ratio of every layer merged in a row, on one design ``[1]``."""
        return [
            float(known(_reduced(known.source, self._K[layer : layer + 1], np.array([pieces]), conversion))[0])
            for known in self._members[layer]
        ]

    def save(self) -> None:
        """Write what is known to disk now, not only when the process ends."""
        for known, _ in self._times:
            known.save()

    def _numbers(self, conversions: NDArray[np.void]) -> NDArray[np.int64]:
        """A small number for each kind of conversion."""
        numbers = np.empty(len(conversions), dtype=np.int64)
        for index, name in enumerate(_as_bytes(conversions)):
            number = self._conversions.get(name)
            if number is None:
                number = self._conversions[name] = len(self._listed)
                self._listed.append(name)
            numbers[index] = number
        return numbers

    def _fill(self, numbers: NDArray[np.int64], pieces: NDArray[np.int64]) -> None:
        """Enter what the designs need and the table lacks."""
        on_arrays = pieces > 0
        packed = _packed(numbers[:, np.newaxis], np.arange(pieces.shape[1]), pieces)[on_arrays]
        wanted = np.unique(packed)
        wanted = wanted[~_contains(wanted, self._keys)]
        layer = (wanted >> _PIECES_BITS) & (2**_LAYER_BITS - 1)
        count = wanted & (2**_PIECES_BITS - 1)
        listed = np.frombuffer(b"".join(self._listed), dtype=CONVERSION_DTYPE)
        conversions = listed[wanted >> (_LAYER_BITS + _PIECES_BITS)]
        errors = np.zeros(len(wanted))
        for known, times_of in self._times:
            times = times_of[layer]
            here = np.flatnonzero(times)
            if len(here):
                keys = _reduced(known.source, self._K[layer[here]], count[here], conversions[here])
                errors[here] += times[here] * known(keys)
        self._enter(wanted, errors)

    def _enter(self, keys: NDArray[np.int64], errors: NDArray[np.float64]) -> None:
        self._taken += len(keys)
        slots = len(self._keys)
        while slots < 2 * self._taken:
            slots *= 2
        if slots > len(self._keys):
            old = self._keys != EXACT
            keys, errors = np.concatenate([self._keys[old], keys]), np.concatenate([self._errors[old], errors])
            self._keys, self._errors = np.full(slots, EXACT, dtype=np.int64), np.zeros(slots)
        _insert(keys, errors, self._keys, self._errors)


def _reduced(
    source: StatisticsSource, K: NDArray[np.int64], pieces: NDArray[np.int64], conversions: NDArray[np.void]
) -> NDArray[np.void]:
    keys = np.zeros(len(K), dtype=_KEY_DTYPE)
    keys["K"], keys["pieces"] = source.reduced(K, pieces)
    for name in CONVERSION_DTYPE.names or ():
        keys[name] = conversions[name]
    return keys


def _as_bytes(rows: NDArray[np.void]) -> list[bytes]:
    return list(np.ascontiguousarray(rows).view(np.dtype((np.void, rows.dtype.itemsize))).tolist())


def _as_dictionary(entries: NDArray[np.void]) -> dict[bytes, float]:
    keys = np.zeros(len(entries), dtype=_KEY_DTYPE)
    for name in _KEY_DTYPE.names or ():
        keys[name] = entries[name]
    sound = (entries["error"] >= LEAST_ERROR) & np.isfinite(entries["error"])
    return dict(zip(_as_bytes(keys[sound]), entries["error"][sound].tolist(), strict=True))


def _save(file: Path | None, known: dict[bytes, float], saved: int) -> None:
    if file is None or len(known) == saved:
        return
    every = _as_dictionary(read_entries(file, _ENTRY_DTYPE)) | known
    entries = np.empty(len(every), dtype=_ENTRY_DTYPE)
    keys = np.frombuffer(b"".join(every), dtype=_KEY_DTYPE)
    for name in _KEY_DTYPE.names or ():
        entries[name] = keys[name]
    entries["error"] = list(every.values())
    write_entries(file, entries)


def _packed(number: NDArray[np.int64], layer: NDArray[np.int64], pieces: NDArray[np.int64]) -> NDArray[np.int64]:
    return (number << (_LAYER_BITS + _PIECES_BITS)) | (layer << _PIECES_BITS) | pieces


@kernel()
def _slot(key: int, keys: NDArray[np.int64]) -> int:
    """Where a key stands, or the free slot where it would."""
    mask = np.uint64(len(keys) - 1)
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    place = (mixed ^ (mixed >> np.uint64(32))) & mask
    while keys[place] != key and keys[place] != EXACT:
        place = (place + np.uint64(1)) & mask
    return np.int64(place)  # type: ignore[return-value]


@kernel(parallel=True)
def _insert(
    keys: NDArray[np.int64], errors: NDArray[np.float64], table: NDArray[np.int64], values: NDArray[np.float64]
) -> None:
    for _ in numba.prange(1):  # one after the other; entered as every kernel is
        for index in range(len(keys)):
            place = _slot(keys[index], table)
            table[place], values[place] = keys[index], errors[index]


@kernel(parallel=True)
def _find(keys: NDArray[np.int64], table: NDArray[np.int64], found: NDArray[np.bool_]) -> None:
    for index in numba.prange(len(keys)):
        found[index] = table[_slot(keys[index], table)] == keys[index]


def _contains(keys: NDArray[np.int64], table: NDArray[np.int64]) -> NDArray[np.bool_]:
    found = np.empty(len(keys), dtype=np.bool_)
    _find(keys, table, found)
    return found


@kernel(parallel=True)
def _network_snr(
    numbers: NDArray[np.int64], exact: NDArray[np.bool_], pieces: NDArray[np.int64], network: NDArray[np.int64],
    table: NDArray[np.int64], values: NDArray[np.float64], snr: NDArray[np.float64], complete: NDArray[np.bool_],
) -> None:  # fmt: skip
    """-10 log10 of the summed error ratios of every network; `complete` where the table held them all."""
    for d in numba.prange(len(numbers)):
        snr[d, :] = 0.0
        complete[d] = True
        if not exact[d]:
            for i in range(len(network)):
                if pieces[d, i] > 0:
                    key = (numbers[d] << (_LAYER_BITS + _PIECES_BITS)) | (i << _PIECES_BITS) | pieces[d, i]
                    place = _slot(key, table)
                    if table[place] == key:
                        snr[d, network[i]] += values[place]
                    else:
                        complete[d] = False
        for n in range(snr.shape[1]):
            snr[d, n] = -10.0 * log10(max(snr[d, n], LEAST_ERROR))
