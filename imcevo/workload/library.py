"""Networks by name: those that ship with the package, or a user's layer CSV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imcevo.errors import unknown_name
from imcevo.workload.csvfile import read_network_csv
from imcevo.workload.network import Network
from imcevo.workload.networks.lstm_lm import lstm_lm
from imcevo.workload.networks.mobilebert import mobilebert
from imcevo.workload.networks.mobilenet_v3_large import mobilenet_v3_large
from imcevo.workload.networks.resnet18 import resnet18

_BUILDERS: dict[str, Callable[[], Network]] = {
    "lstm_lm": lstm_lm,
    "mobilebert": mobilebert,
    "mobilenet_v3_large": mobilenet_v3_large,
    "resnet18": resnet18,
}


def network_names() -> tuple[str, ...]:
    """Names of the networks that ship with the package."""
    return tuple(_BUILDERS)


def load_network(
    name_or_csv_path: str,
    *,
    relative_to: Path | None = None,
    file: Path | str | None = None,
    key: str | None = None,
) -> Network:
    """A shipped network, or the network in a layer CSV if the name ends in ``.csv``.

    Args:
        name_or_csv_path: what the user wrote.
        relative_to: folder that a relative path starts from; the working directory if None.
        file, key: where the user wrote it, for the message.

    Raises:
        UserError: unknown name (with the nearest known one), or a mistake in the CSV.
    """
    if name_or_csv_path.endswith(".csv"):
        return read_network_csv((relative_to or Path()) / name_or_csv_path)
    if name_or_csv_path not in _BUILDERS:
        raise unknown_name("network", name_or_csv_path, _BUILDERS, file=file, key=key)
    return _BUILDERS[name_or_csv_path]()
