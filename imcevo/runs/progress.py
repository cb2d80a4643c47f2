"""The progress line of a run."""

from __future__ import annotations

import time
from typing import TextIO

from imcevo.runs.recorder import Status

_TERMINAL_EVERY_S, _FILE_EVERY_S = 0.1, 5.0


class ProgressLine:
    """One line that is rewritten on a terminal, a line every few seconds elsewhere."""

    def __init__(self, label: str, stream: TextIO) -> None:
        self._label, self._stream = label, stream
        self._live = stream.isatty()
        self._every_s = _TERMINAL_EVERY_S if self._live else _FILE_EVERY_S
        self._shown = time.monotonic() if not self._live else float("-inf")
        self._width = 0

    def __call__(self, status: Status) -> None:
        """Show `status` if it is time, and always once the budget is spent."""
        done = status.evaluations >= status.budget
        now = time.monotonic()
        if not done and now - self._shown < self._every_s:
            return
        self._shown = now
        text = f"{self._label}: {line(status)}"
        if self._live:
            self._stream.write("\r" + text.ljust(self._width) + ("\n" if done else ""))
            self._width = len(text)
        else:
            self._stream.write(text + "\n")
        self._stream.flush()


def line(status: Status) -> str:
    """A status in words."""
    minutes, seconds = divmod(round(status.remaining_s), 60)
    return (
        f"generation {status.generation}, {status.evaluations:,} of {status.budget:,} evaluations, "
        f"{status.evaluations_per_s:,.0f}/s, feasible {status.feasible_share:.0%}, "
        f"hypervolume {status.hypervolume:.4f}, front {status.front_size}, {minutes}:{seconds:02d} left"
    )
