"""The one exception for users' mistakes, and the words it is told in.

Everything a user can get wrong (a config, a design, a data file, a run folder) raises `UserError`; the command
line prints its single line and exits with code 2. Any other exception is a defect of ours (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

_ABSENT = object()
_LONGEST_VALUE = 80  # characters of a rejected value that a message repeats


class UserError(Exception):
    """A user's mistake, told in one line: file, key, value, what is wrong, what is allowed.

    Args:
        problem: what is wrong, e.g. ``"is below the smallest allowed value"``.
        file: the file it stands in.
        key: dotted key path inside the file, e.g. ``"design_space.rows"``.
        value: the offending value.
        allowed: what would have been accepted.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: Path | str | None = None,
        key: str | None = None,
        value: object = _ABSENT,
        allowed: str | None = None,
    ) -> None:
        self.problem, self.file, self.key, self.allowed = problem, file, key, allowed
        self.value = None if value is _ABSENT else value
        where = ": ".join(str(part) for part in (file, key) if part is not None)
        said = problem if value is _ABSENT else f"{shorten(value)} {problem}"
        message = f"{where}: {said}" if where else said
        if allowed:
            message += f" (allowed: {allowed})"
        super().__init__(" ".join(message.split()))

    def in_file(self, file: Path | str) -> UserError:
        """The same mistake, located in `file` (for checks that do not know where their input came from)."""
        value = self.value if self.value is not None else _ABSENT
        return UserError(self.problem, file=file, key=self.key, value=value, allowed=self.allowed)


def shorten(value: object) -> str:
    """`repr`, cut to a length that still fits a one-line message."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def listed(names: Iterable[object], most: int = 24) -> str:
    """Names for the `allowed` part of a message, cut after `most`."""
    every = [str(name) for name in names]
    tail = f", ... ({len(every)} in all)" if len(every) > most else ""
    return ", ".join(every[:most]) + tail


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """``"; did you mean 'rows'?"`` for the nearest known name, or an empty string."""
    written = {str(one).lower(): one for one in known}
    near = difflib.get_close_matches(str(name).lower(), list(written), n=1, cutoff=0.6)
    return f"; did you mean {written[near[0]]!r}?" if near else ""


def unknown_name(
    what: str, name: object, known: Iterable[str], *, file: Path | str | None = None, key: str | None = None
) -> UserError:
    """The error for a name that is not among the known ones, with the nearest valid one."""
    names = sorted(known)
    problem = f"is not a known {what}{did_you_mean(name, names)}"
    return UserError(problem, file=file, key=key, value=name, allowed=listed(names))
