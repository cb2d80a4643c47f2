"""ONNX models of known architectures, written node by node as exporters do: no code shared with the package.

Weights are declared with their shapes and filled with zeros through external data that nobody writes: the importer must
not need them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import onnx
from onnx import TensorProto, helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Model:
    """A graph under construction; every method returns the name of its result."""

    def __init__(self, opset: int = 17) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.opset = opset

    def input(self, name: str, shape: Sequence[int | str], kind: int = FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, list(shape)))
        return name

    def weight(self, *shape: int) -> str:
        """Values in a file that is not there."""
        tensor = onnx.TensorProto(name=f"w{len(self.tensors)}", data_type=FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
        self.tensors.append(tensor)
        return tensor.name

    def values(self, numbers: Sequence[float], kind: int = INT64, shape: Sequence[int] | None = None) -> str:
        name = f"c{len(self.tensors)}"
        dims = [len(numbers)] if shape is None else list(shape)
        self.tensors.append(helper.make_tensor(name, kind, dims, list(numbers)))
        return name

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: object) -> str:
        names = [f"t{len(self.nodes)}.{index}" for index in range(outputs)]
        self.nodes.append(
            helper.make_node(op, inputs, names, name=f"/{op}.{len(self.nodes)}", domain=domain, **attributes)
        )
        return names[0]

    def proto(self, *results: str) -> onnx.ModelProto:
        outputs = [helper.make_tensor_value_info(name, FLOAT, None) for name in results]
        graph = helper.make_graph(self.nodes, "g", self.inputs, outputs, self.tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        return model

    def save(self, path: Path, *results: str) -> Path:
        path.write_bytes(self.proto(*results).SerializeToString())
        return path

    # What a framework's layers become.
    def conv(
        self, x: str, inputs: int, outputs: int, kernel: int, *, stride: int = 1, pad: int | None = None,
        group: int = 1, bias: bool = False, norm: bool = True, **more: object,
    ) -> str:  # fmt: skip
        pad = kernel // 2 if pad is None else pad
        weights = [self.weight(outputs, inputs // group, kernel, kernel)] + ([self.weight(outputs)] if bias else [])
        padding = {} if "auto_pad" in more else {"pads": [pad] * 4}
        x = self.node(
            "Conv", x, *weights, kernel_shape=[kernel] * 2, strides=[stride] * 2, group=group, **padding, **more
        )
        if not norm:
            return x
        return self.node("BatchNormalization", x, *(self.weight(outputs) for _ in range(4)))

    def linear(self, x: str, inputs: int, outputs: int, *, bias: bool = True) -> str:
        """As exported for tokens: a product and an addition."""
        x = self.node("MatMul", x, self.weight(inputs, outputs))
        return self.node("Add", x, self.weight(outputs)) if bias else x

    def gemm(self, x: str, inputs: int, outputs: int) -> str:
        return self.node("Gemm", x, self.weight(outputs, inputs), self.weight(outputs), transB=1)

    def reshape(self, x: str, *shape: int) -> str:
        return self.node("Reshape", x, self.values(shape))

    def layer_norm(self, x: str, width: int) -> str:
        return self.node("LayerNormalization", x, self.weight(width), self.weight(width), axis=-1, epsilon=1e-5)

    def gelu(self, x: str) -> str:
        half = self.node("Div", x, self.values([math.sqrt(2)], FLOAT, ()))
        one = self.node("Add", self.node("Erf", half), self.values([1.0], FLOAT, ()))
        return self.node("Mul", self.node("Mul", x, one), self.values([0.5], FLOAT, ()))

    def attention(self, x: str, width: int, heads: int, context: str | None = None) -> str:
        """Multi-head self-attention with the shape arithmetic that tracing leaves behind."""
        batch = self.node("Gather", self.node("Shape", x), self.values([0], INT64, ()), axis=0)
        tokens = self.node("Gather", self.node("Shape", x), self.values([1], INT64, ()), axis=0)
        axes = self.values([0])
        sizes = [self.node("Unsqueeze", size, axes) for size in (batch, tokens)]
        split = self.node("Concat", *sizes, self.values([heads]), self.values([width // heads]), axis=0)
        q, k, v = (self.node("Reshape", self.linear(x, width, width), split) for _ in range(3))
        q, v = (self.node("Transpose", value, perm=[0, 2, 1, 3]) for value in (q, v))
        k = self.node("Transpose", k, perm=[0, 2, 3, 1])
        scores = self.node("Div", self.node("MatMul", q, k), self.values([math.sqrt(width // heads)], FLOAT, ()))
        mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), v)
        merged = self.node("Concat", *sizes, self.values([width]), axis=0)
        mixed = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), merged)
        return self.linear(mixed, width, width)


def resnet(path: Path, *, bottleneck: bool) -> Path:
    """ResNet-18 or ResNet-50 as torchvision has them, before any folding."""
    m = Model()
    x = m.node("Relu", m.conv(m.input("image", ["batch", 3, 224, 224]), 3, 64, 7, stride=2))
    x = m.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, depth in enumerate([3, 4, 6, 3] if bottleneck else [2, 2, 2, 2]):
        for block in range(depth):
            width, stride = 64 * 2**stage, 2 if stage and not block else 1
            if bottleneck:
                y = m.node("Relu", m.conv(x, channels, width, 1))
                y = m.node("Relu", m.conv(y, width, width, 3, stride=stride))
                outputs, last = 4 * width, 1
                y = m.conv(y, width, outputs, last)
            else:
                y = m.node("Relu", m.conv(x, channels, width, 3, stride=stride))
                outputs = width
                y = m.conv(y, width, outputs, 3)
            if stride > 1 or channels != outputs:
                x = m.conv(x, channels, outputs, 1, stride=stride)
            x, channels = m.node("Relu", m.node("Add", y, x)), outputs
    x = m.node("Flatten", m.node("GlobalAveragePool", x), axis=1)
    return m.save(path, m.gemm(x, channels, 1000))


def mobilenet_v1(path: Path) -> Path:
    """MobileNetV1 0.25 as Keras defines it: "same" padding, biases before the normalisation."""
    m = Model()
    same = {"bias": True, "auto_pad": "SAME_UPPER"}
    x, channels = m.node("Relu", m.conv(m.input("image", [1, 3, 96, 96]), 3, 8, 3, stride=2, **same)), 8
    for outputs, stride in [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]:
        x = m.node("Relu", m.conv(x, channels, channels, 3, stride=stride, group=channels, **same))
        x = m.node("Relu", m.conv(x, channels, outputs, 1, **same))
        channels = outputs
    x = m.node("AveragePool", x, kernel_shape=[3, 3], strides=[1, 1])
    return m.save(path, m.node("Softmax", m.gemm(m.reshape(x, 1, channels), channels, 2), axis=-1))


def densenet201(path: Path) -> Path:
    m = Model()
    x = m.node("Relu", m.conv(m.input("image", [1, 3, 224, 224]), 3, 64, 7, stride=2))
    x, channels = m.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), 64

    def norm_relu(value: str) -> str:
        return m.node("Relu", m.node("BatchNormalization", value, *(m.weight(channels) for _ in range(4))))

    for block, depth in enumerate([6, 12, 48, 32]):
        for _ in range(depth):
            y = m.node("Relu", m.conv(norm_relu(x), channels, 128, 1))
            x = m.node("Concat", x, m.conv(y, 128, 32, 3, norm=False), axis=1)
            channels += 32
        if block < 3:
            x = m.conv(norm_relu(x), channels, channels // 2, 1, norm=False)
            x, channels = m.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2]), channels // 2
    x = m.node("Flatten", m.node("GlobalAveragePool", norm_relu(x)), axis=1)
    return m.save(path, m.gemm(x, channels, 1000))


def bert_base(path: Path) -> Path:
    m = Model()
    words, types = (m.input(name, ["batch", "seq"], INT64) for name in ("input_ids", "token_type_ids"))
    length = m.node("Gather", m.node("Shape", words), m.values([1], INT64, ()), axis=0)
    zero, one = m.values([0], INT64, ()), m.values([1], INT64, ())
    positions = m.node("Unsqueeze", m.node("Range", zero, length, one), m.values([0]))
    x = m.node("Gather", m.weight(30522, 768), words)
    x = m.node("Add", x, m.node("Gather", m.weight(512, 768), positions))
    x = m.layer_norm(m.node("Add", x, m.node("Gather", m.weight(2, 768), types)), 768)
    for _ in range(12):
        x = m.layer_norm(m.node("Add", m.attention(x, 768, 12), x), 768)
        y = m.linear(m.gelu(m.linear(x, 768, 3072)), 3072, 768)
        x = m.layer_norm(m.node("Add", y, x), 768)
    first = m.node("Gather", x, m.values([0], INT64, ()), axis=1)
    return m.save(path, x, m.node("Tanh", m.gemm(first, 768, 768)))


def vit_b16(path: Path) -> Path:
    m = Model()
    x = m.conv(m.input("image", [1, 3, 224, 224]), 3, 768, 16, stride=16, pad=0, bias=True, norm=False)
    x = m.node("Transpose", m.reshape(x, 1, 768, 196), perm=[0, 2, 1])
    x = m.node("Concat", m.node("Expand", m.weight(1, 1, 768), m.values([1, 1, 768])), x, axis=1)
    x = m.node("Add", x, m.weight(1, 197, 768))
    for _ in range(12):
        x = m.node("Add", x, m.attention(m.layer_norm(x, 768), 768, 12))
        y = m.linear(m.gelu(m.linear(m.layer_norm(x, 768), 768, 3072)), 3072, 768)
        x = m.node("Add", x, y)
    first = m.node("Gather", m.layer_norm(x, 768), m.values([0], INT64, ()), axis=1)
    return m.save(path, m.gemm(first, 768, 1000))


def lstm_lm(path: Path) -> Path:
    m = Model()
    x = m.node("Gather", m.weight(10_000, 1500), m.input("words", ["steps", 1], INT64))
    for _ in range(2):
        weights = m.weight(1, 6000, 1500), m.weight(1, 6000, 1500), m.weight(1, 12_000)
        x = m.node("LSTM", x, *weights, hidden_size=1500, outputs=3)
        x = m.node("Squeeze", x, m.values([1]))
    return m.save(path, m.node("Softmax", m.linear(x, 1500, 10_000), axis=-1))


def gru_kws(path: Path) -> Path:
    m = Model()
    weights = m.weight(1, 1200, 10), m.weight(1, 1200, 400), m.weight(1, 2400)
    m.node("GRU", m.input("features", [49, 1, 10]), *weights, hidden_size=400, outputs=2)
    last = m.reshape("t0.1", 1, 400)
    return m.save(path, m.node("Softmax", m.gemm(last, 400, 12), axis=-1))


def autoencoder(path: Path) -> Path:
    m = Model()
    x, inputs = m.input("features", [1, 640]), 640
    for outputs in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        x = m.gemm(x, inputs, outputs)
        x = m.node("Relu", m.node("BatchNormalization", x, *(m.weight(outputs) for _ in range(4))))
        inputs = outputs
    return m.save(path, m.gemm(x, inputs, 640))
