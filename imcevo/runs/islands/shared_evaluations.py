"""What all islands of a run have evaluated, told to workers as what was added lately.

A worker remembers what it was told. One that misses something (it is new, or was left out for too long) says so, and is
told everything.
"""

from __future__ import annotations

import threading
import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.optimise.novelty import KeySet

Keys = NDArray[np.uint64]
# How often in a row a worker may be left out and still be told no more than the news.
_EPOCHS_TOLD = 2


class Mark(NamedTuple):
    """Where a list of keys stands: how many, and their checksum."""

    number: int
    checksum: int

    def after(self, keys: Keys) -> Mark:
        """Where it stands with these keys added."""
        return Mark(self.number + len(keys), zlib.crc32(np.ascontiguousarray(keys).tobytes(), self.checksum))


NOTHING = Mark(0, 0)


class News(NamedTuple):
    """The end of a list of keys.

    Attributes:
        token: names the run.
        marks: before the first of `added`, and after each ``[n + 1]``.
        added: keys in the order in which they became known ``[n]``.
    """

    token: str
    marks: tuple[Mark, ...]
    added: tuple[Keys, ...]


class SharedEvaluations:
    """The list itself, at the process that hands out epochs; `token` names its run."""

    def __init__(self, token: str) -> None:
        self.keys = KeySet()
        self._token = token
        self._marks = [NOTHING]
        self._added: list[Keys] = []
        self._since: list[Keys] = []

    def add(self, keys: Keys) -> None:
        """Add distinct keys ``[n]`` that are not in `keys`."""
        self.keys.add(keys)
        self._since.append(keys)

    def news(self) -> News:
        """What became known lately; what was added since the last call is closed as one piece."""
        if self._since:
            self._added.append(np.concatenate(self._since))
            self._marks.append(self._marks[-1].after(self._added[-1]))
            self._since = []
        return News(self._token, tuple(self._marks[-_EPOCHS_TOLD - 1 :]), tuple(self._added[-_EPOCHS_TOLD:]))

    def everything(self) -> News:
        """All that was known at the last `news`."""
        return News(self._token, tuple(self._marks), tuple(self._added))


class _Memory:
    """What this worker was told of the run that it serves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token, self._mark, self._keys = "", NOTHING, KeySet()

    def learn(self, news: News) -> KeySet | None:
        """All keys of the run; None where something between is missing."""
        with self._lock:
            remembered = self._mark if self._token == news.token else None
            if remembered not in news.marks:
                if news.marks[0] != NOTHING:
                    return None
                self._token, self._mark, self._keys = news.token, NOTHING, KeySet()
            for mark, keys in zip(news.marks[1:], news.added, strict=True):
                if mark.number > self._mark.number:
                    self._keys.add(keys)
                    self._mark = mark
            return self._keys


MEMORY = _Memory()
