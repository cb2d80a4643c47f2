from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx")

from onnx import TensorProto

from imcevo.errors import UserError
from imcevo.workload.onnx_import import import_onnx
from tests.workload.onnx_cases import FLOAT, Case, branching_case, conv_case, macs, node, saved, value
from tests.workload.onnx_kinds import CASES


@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_executed_shapes(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert case.count(import_onnx(saved(case, tmp_path / "m.onnx"), **case.options).network) == case.right


def test_weights_without_data_have_their_declared_shape(tmp_path: Path) -> None:
    empty = TensorProto(name="w", data_type=FLOAT, dims=[8, 4, 3, 3])
    case = conv_case(macs, 18_432)._replace(stored=[])
    assert import_onnx(saved(case, tmp_path / "m.onnx", [empty])).network.macs == 18_432


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (branching_case({}, 0), "--input rate="),
        (CASES["sizes by input and axis"]._replace(options={}), r"x:0.*x:2.*x:3"),
        (
            Case(
                [node("ConvTranspose", ["x", "w"], ["y"])],
                [value("x", [1, 3, 2, 2]), value("w", [3, 1, 2, 2])],
                [value("y", [1, 1, 3, 3])],
                [],
                macs,
                0,
            ),
            "computed weights 'w'.*--weight",
        ),
        (
            Case(
                [node("LSTM", ["x", "w", "r"], ["y"], hidden_size=4)],
                [value("x", [5, 1, 3]), value("w", [1, 16, 3]), value("r", [1, 16, 4])],
                [value("y", [5, 1, 1, 4])],
                [],
                macs,
                0,
            ),
            "LSTM by computed weights",
        ),
    ],
)
def test_what_is_refused_says_what_can_be_done(tmp_path: Path, case: Case, said: str) -> None:
    with pytest.raises(UserError, match=said):
        import_onnx(saved(case, tmp_path / "m.onnx"), **case.options)
