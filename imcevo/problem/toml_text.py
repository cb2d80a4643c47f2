"""Writing TOML: the inverse of `imcevo.config.read_toml` for tables of strings, numbers, lists and tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def to_toml(data: Mapping[str, Any]) -> str:
    """`data` as TOML text; numbers in full precision, so that reading it back gives equal values.

    Tables inside tables are written inline; lists of tables as ``[[key]]``; None is left out.
    """
    plain = {key: value for key, value in data.items() if not _is_table(value) and not _is_table_list(value)}
    parts = [_lines(plain)]
    for key, value in data.items():
        if _is_table(value):
            parts.append(f"[{_key(key)}]\n{_lines(value)}")
        elif _is_table_list(value):
            parts += [f"[[{_key(key)}]]\n{_lines(item)}" for item in value]
    return "\n".join(part for part in parts if part)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_table_list(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{_key(key)} = {_value(value)}\n" for key, value in table.items() if value is not None)


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _string(text: str) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")
