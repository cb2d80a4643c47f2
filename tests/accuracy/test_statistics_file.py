"""Statistics files: measured from tensors, read back, named mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics_file import measure, read_statistics
from imcevo.errors import UserError
from imcevo.workload import Network
from imcevo.workload.layers import Layer

NETWORK = Network("small", "other", "", (Layer("fc", C=32, M=8), Layer("out", C=8, M=4)))


def tensors(path: Path, **arrays: object) -> Path:
    rng = np.random.default_rng(1)
    given = {"fc.inputs": rng.normal(size=(40, 32)), "fc.weights": rng.normal(size=(32, 8)), **arrays}
    np.savez(path, **{name: value for name, value in given.items() if value is not None})
    return path


def test_what_is_measured_is_read_back(tmp_path: Path) -> None:
    measured = tmp_path / "s.npz"
    measured.write_bytes(measure(tensors(tmp_path / "t.npz"), NETWORK, 8, 8))
    name, sources = read_statistics(measured, {"small": NETWORK}, (8, 8))
    assert name == "small"
    assert list(sources) == ["fc"]
    source = sources["fc"]
    assert source.measured
    assert source.input_zero == 128  # some inputs are negative
    assert source.statistics(Slicing(8, 8), 32).measured
    inputs, weights = source.tensors(32, 16, 4)
    assert inputs.shape == (16, 32)
    assert weights.shape == (32, 4)
    assert inputs.min() >= 0
    assert abs(weights).max() <= 127
    again = read_statistics(measured, {"small": NETWORK}, (8, 8))[1]["fc"]
    assert again.digest == source.digest


@pytest.mark.parametrize(
    ("arrays", "word"),
    [
        ({"fd.inputs": np.ones((2, 3))}, "matrix layer of small"),
        ({"fc.inputs": np.ones((4, 31))}, "do not fit the layer"),
        ({"fc.weights": None}, "is missing"),
        ({"fc.inputs": np.full((4, 32), np.nan)}, "not finite"),
        ({"fc.inputs": np.full((4, 32), 256)}, "out of range"),
        ({"fc.inputs": np.array([[object()] * 32])}, "plain arrays"),
        ({"fc.inputs": np.zeros((4, 32))}, "do not vary"),
    ],
)
def test_mistakes_in_tensors_are_named(tmp_path: Path, arrays: dict[str, object], word: str) -> None:
    with pytest.raises(UserError, match=word):
        measure(tensors(tmp_path / "t.npz", **arrays), NETWORK, 8, 8)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "t.npz"
    text.write_text("no archive")
    with pytest.raises(UserError, match="plain arrays"):
        measure(text, NETWORK, 8, 8)
    with pytest.raises(UserError, match="cannot be read"):
        measure(tmp_path / "none.npz", NETWORK, 8, 8)
    with pytest.raises(UserError, match="array missing"):
        read_statistics(tensors(tmp_path / "raw.npz"), {"small": NETWORK}, (8, 8))
    measured = tmp_path / "s.npz"
    measured.write_bytes(measure(tensors(tmp_path / "t2.npz"), NETWORK, 8, 8))
    with pytest.raises(UserError, match="another precision"):
        read_statistics(measured, {"small": NETWORK}, (4, 8))
    with pytest.raises(UserError, match="network of this problem"):
        read_statistics(measured, {"other": NETWORK}, (8, 8))
