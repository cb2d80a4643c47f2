"""Reading TOML into strict models, with one-line errors. Every config file of the project comes through here."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from imcevo.errors import UserError, did_you_mean, listed, shorten

LARGEST_CONFIG_BYTES = 4 * 2**20


class StrictModel(BaseModel):
    """Base of all config models: unknown keys, wrong types, NaN and infinities are errors; instances are frozen."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


ModelT = TypeVar("ModelT", bound=BaseModel)


def read_text(path: Path | str, *, what: str, largest_bytes: int = LARGEST_CONFIG_BYTES) -> str:
    """The UTF-8 text of a user's file.

    Raises:
        UserError: missing, a directory, unreadable, larger than `largest_bytes`, or not text.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise UserError(f"is a directory, expected {what}", file=path)
        if not path.exists():
            raise UserError(f"no such file, expected {what}", file=path)
        size = path.stat().st_size
        if size > largest_bytes:
            raise UserError(f"is {size} bytes large, at most {largest_bytes} are read as {what}", file=path)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"is not UTF-8 text, expected {what}", file=path) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"cannot be read ({reason}), expected {what}", file=path) from None


def read_toml(path: Path | str, *, what: str) -> dict[str, Any]:
    """A TOML file as a dictionary of finite values.

    Raises:
        UserError: as `read_text`, or not TOML, or a NaN or infinity in it.
    """
    text = read_text(path, what=what)
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"is not valid TOML: {reason}", file=path) from None
    _reject_non_finite(data, path, "")
    return data


def _reject_non_finite(value: object, path: Path | str, key: str) -> None:
    if isinstance(value, dict):
        for name, item in value.items():
            _reject_non_finite(item, path, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _reject_non_finite(item, path, f"{key}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UserError("is not a finite number", file=path, key=key, value=value, allowed="finite numbers")


def load_model(path: Path | str, model: type[ModelT], *, what: str) -> ModelT:
    """Read `path` and validate it as `model`.

    Raises:
        UserError: the first thing wrong with the file, with its key.
    """
    return validated(read_toml(path, what=what), model, file=path)


def validated(data: object, model: type[ModelT], *, file: Path | str | None = None, key: str = "") -> ModelT:
    """`data` as `model`, pydantic's complaint turned into a `UserError` under `key`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _as_user_error(error, model, file, key) from None


def _as_user_error(error: ValidationError, model: type[BaseModel], file: Path | str | None, key: str) -> UserError:
    details = error.errors(include_url=False)
    # An unknown key often causes a second complaint (the right key is missing): name the unknown one first.
    first = next((d for d in details if d["type"] == "extra_forbidden"), details[0])
    place = first["loc"]
    dotted = ".".join(part for part in (key, dotted_key(place)) if part)
    more = f" [and {len(details) - 1} more]" if len(details) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        known = _fields_at(model, place[:-1])
        return UserError(
            f"unknown key{did_you_mean(place[-1], known)}{more}", file=file, key=dotted, allowed=listed(known) or None
        )
    if kind == "missing":
        return UserError(f"this key is missing{more}", file=file, key=dotted)
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:] if message else kind
    if isinstance(first["input"], dict | list) and kind == "value_error":
        return UserError(f"{message}{more}", file=file, key=dotted or None)
    return UserError(f"got {shorten(first['input'])}: {message}{more}", file=file, key=dotted or None)


def dotted_key(place: tuple[int | str, ...]) -> str:
    """A pydantic location as the user would write it: ``("objectives", 0, "metric")`` -> ``objectives[0].metric``."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Known keys at a location, looked up through nested models (and lists of models)."""
    current: Any = model
    for part in place:
        if isinstance(part, int) or not (isinstance(current, type) and issubclass(current, BaseModel)):
            continue
        field = current.model_fields.get(part)
        current = _model_inside(field.annotation) if field else None
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _model_inside(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in getattr(annotation, "__args__", ()) if (found := _model_inside(arg))), None)
