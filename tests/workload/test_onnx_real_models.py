"""Models of other makers, imported, against the shapes of an executed run; and that run against known counts."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

onnx = pytest.importorskip("onnx", reason="the optional extra imcevo[onnx] is not installed")

from tests.workload.onnx_real import OF_PACKAGES, Case, cases_of_onnx, imported, in_onnxruntime, run  # noqa: E402

NOT_SUPPORTED = re.compile(r"Sequence|StringNormalizer|Gradient")
# The rest of `light` takes a minute: python -m tests.tools.onnx_real_models
LIGHT = ("bvlc_alexnet", "shufflenet")
LAYERS = cases_of_onnx("pytorch-converted", "pytorch-operator")
DIFFERS = {
    # Depth becomes batch and channels: planes between windows are not read, planes of padding are.
    "Conv3d_stride": "inputs",
}


def _name(case: Case) -> str:
    return case.file.split("/")[-2].removeprefix("test_").removeprefix("operator_")


def test_executed_counts_are_those_that_are_published():
    """SqueezeNet 1.1 at 224 x 224 as torchvision lists it: 1,235,496 parameters, 0.35 GMAC."""
    (case,) = (case for case in cases_of_onnx("light") if "squeezenet" in case.file)
    counts = run(case)
    assert imported(case) == counts
    assert counts.parameters == 1_235_496
    assert counts.macs == pytest.approx(0.35e9, rel=0.01)
    # Each of the 8 fire modules has biases of its squeeze and its two expand convolutions; 64 and 1000 at the ends.
    squeezed = (16, 16, 32, 32, 48, 48, 64, 64)
    assert counts.parameters - counts.array_weights == sum(9 * size for size in squeezed) + 64 + 1000


@pytest.mark.parametrize("case", [pytest.param(case, id=_name(case)) for case in LAYERS])
def test_single_layers_of_pytorch(case):
    got, want = imported(case), run(case)
    assert not isinstance(got, str)
    for key in {field for start, field in DIFFERS.items() if _name(case).startswith(start)}:
        assert getattr(got, key) != getattr(want, key)  # else it is mended: drop it from DIFFERS
        got = replace(got, **{key: getattr(want, key)})
    assert got == want


@pytest.mark.parametrize("name", LIGHT)
def test_whole_networks(name):
    (case,) = (case for case in cases_of_onnx("light") if name in case.file)
    assert imported(case) == run(case)


@pytest.mark.parametrize("case", [pytest.param(case, id=_name(case)) for case in cases_of_onnx("simple")])
def test_models_that_are_no_networks(case):
    """Sequences, strings and gradients are refused by name; nothing is left out of the rest."""
    got = imported(case)
    if isinstance(got, str):
        assert NOT_SUPPORTED.search(got) or "leaves dimensions open" in got
    else:
        assert got == run(case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in OF_PACKAGES])
def test_models_of_packages(case):
    execute = in_onnxruntime()
    if execute is None or case.path is None:
        pytest.skip(f"needs the packages {case.package} and onnxruntime")
    assert imported(case) == run(case, execute)
