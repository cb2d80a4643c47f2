"""Statistics files: samples of a network's tensors, layer by layer, in a ``.npz`` without pickled objects.

Arrays: ``network`` (its name), ``bits`` (of inputs, of weights), and per layer ``<layer>.inputs`` ``[n_vectors, K]``,
``<layer>.weights`` ``[K, M]`` and ``<layer>.input_zero``.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.sources import MeasuredValues, StatisticsSource, Tensors
from imcevo.errors import UserError, listed, unknown_name
from imcevo.workload import Network

LARGEST_BYTES = 2**31
_VECTORS, _COLUMNS = 256, 64
_SEED = 20211


def measure(file: Path, network: Network, input_bits: int, weight_bits: int) -> bytes:
    """A statistics file from tensors ``<layer>.inputs`` ``[n_vectors, K]`` and ``<layer>.weights`` ``[K, M]``.

    Whole numbers are codes. Real inputs are quantised to their largest magnitude, with the middle code for zero where
    some are negative; real weights symmetrically. At most 256 vectors and 64 columns are kept, chosen at random by a
    fixed seed.

    Raises:
        UserError: not such a file, an unknown layer, a shape that is not the layer's, codes out of range.
    """
    arrays = read_arrays(file)
    layers = {layer.name: layer for layer in network.layers if layer.kind == "matrix"}
    kept: dict[str, NDArray[Any]] = {"network": np.array(network.name), "bits": np.array([input_bits, weight_bits])}
    named = list(dict.fromkeys(key.rpartition(".")[0] for key in arrays))
    for name in named:
        if name not in layers:
            raise unknown_name(f"matrix layer of {network.name}", name, layers, file=file, key=name)
        x, w = (_tensor(arrays, f"{name}.{part}", file) for part in ("inputs", "weights"))
        if x.shape[1] != layers[name].K or w.shape[0] != layers[name].K:
            allowed = f"[n_vectors, {layers[name].K}] and [{layers[name].K}, M]"
            raise UserError("do not fit the layer", file=file, key=name, value=(x.shape, w.shape), allowed=allowed)
        rng = np.random.default_rng(_SEED)
        x = x[np.sort(rng.permutation(len(x))[:_VECTORS])]
        w = w[:, np.sort(rng.permutation(w.shape[1])[:_COLUMNS])]
        codes, zero = _input_codes(x, input_bits)
        kept |= {f"{name}.inputs": codes, f"{name}.weights": _weight_codes(w, weight_bits)}
        kept[f"{name}.input_zero"] = np.array(zero)
    if not named:
        raise UserError("holds no tensors", file=file, allowed="<layer>.inputs and <layer>.weights")
    content = io.BytesIO()
    np.savez_compressed(content, **kept)  # type: ignore[arg-type]
    _sources(kept, network, (input_bits, weight_bits), file)
    return content.getvalue()


def read_statistics(file: Path, networks: Mapping[str, Network], bits: tuple[int, int]) -> tuple[
    str, dict[str, StatisticsSource]
]:  # fmt: skip
    """Network name and statistics of its layers from a statistics file.

    Raises:
        UserError: not such a file, of another network or precision, or values out of range.
    """
    arrays = read_arrays(file)
    for key in ("network", "bits"):
        if key not in arrays:
            raise UserError("is no statistics file: array missing", file=file, key=key)
    name = str(arrays["network"])
    if name not in networks:
        raise unknown_name("network of this problem", name, networks, file=file, key="network")
    given = tuple(np.atleast_1d(arrays["bits"]).tolist())
    if given != bits:
        raise UserError(
            "was measured at another precision", file=file, key="bits", value=given, allowed=f"{bits}, the problem's"
        )
    return name, _sources(arrays, networks[name], bits, file)


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a ``.npz``, none of them pickled.

    Raises:
        UserError: no such file, no ``.npz``, or larger than 2 GB unpacked.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
                raise UserError("is too large", file=file, allowed="2 GB unpacked")
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", file=file) from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"is no .npz of plain arrays: {error}", file=file) from None


def _sources(
    arrays: Mapping[str, NDArray[Any]], network: Network, bits: tuple[int, int], file: Path
) -> dict[str, StatisticsSource]:
    slicing, sources = Slicing(*bits), dict[str, StatisticsSource]()
    for layer in network.layers:
        if f"{layer.name}.inputs" not in arrays:
            continue
        x, w = (_tensor(arrays, f"{layer.name}.{part}", file) for part in ("inputs", "weights"))
        zero = arrays.get(f"{layer.name}.input_zero", np.array(-1))
        if zero.size != 1 or not 0 <= int(zero) < 2 ** bits[0]:
            raise UserError("is out of range", file=file, key=f"{layer.name}.input_zero", allowed="one input code")
        if x.shape[1] != layer.K or w.shape[0] != layer.K:
            raise UserError("do not fit the layer", file=file, key=layer.name, value=(x.shape, w.shape))
        if not (np.issubdtype(x.dtype, np.integer) and np.issubdtype(w.dtype, np.integer)):
            raise UserError("are not codes", file=file, key=layer.name, allowed="whole numbers")
        source = MeasuredValues(Tensors(x, w), *bits, int(zero))
        try:
            source.statistics(slicing, layer.K)
        except UserError as error:
            raise UserError(error.problem, file=file, key=layer.name, allowed=error.allowed) from None
        sources[layer.name] = source
    return sources


def _tensor(arrays: Mapping[str, NDArray[Any]], key: str, file: Path) -> NDArray[Any]:
    if key not in arrays:
        raise UserError("is missing", file=file, key=key, allowed=listed(sorted(arrays)))
    tensor = arrays[key]
    if tensor.ndim != 2 or tensor.size == 0 or tensor.dtype.kind not in "iuf":
        raise UserError("is no matrix of numbers", file=file, key=key, value=f"{tensor.dtype} {tensor.shape}")
    if not np.isfinite(tensor).all():
        raise UserError("holds values that are not finite", file=file, key=key)
    return tensor


def _input_codes(x: NDArray[Any], bits: int) -> tuple[NDArray[Any], int]:
    """Unsigned codes and the one that stands for zero."""
    if np.issubdtype(x.dtype, np.integer):
        return x, 0
    largest = max(float(np.abs(x).max()), 1e-300)
    if (x < 0).any():
        zero = 2 ** (bits - 1)
        return (np.round(x / largest * (zero - 1)) + zero).astype(np.int16), zero
    return np.round(x / largest * (2**bits - 1)).astype(np.int16), 0


def _weight_codes(w: NDArray[Any], bits: int) -> NDArray[Any]:
    if np.issubdtype(w.dtype, np.integer):
        return w
    largest = max(float(np.abs(w).max()), 1e-300)
    return np.round(w / largest * (2 ** (bits - 1) - 1)).astype(np.int16)
