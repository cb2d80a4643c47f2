"""Products and convolutions with what ONNX Runtime fuses behind them, and its activations."""

from __future__ import annotations

from typing import Any

from imcevo.workload.onnx_import.expand.builder import Builder

_ACTIVATIONS: dict[str, tuple[str, ...]] = {
    "Relu": (), "Tanh": (), "Sigmoid": (), "HardSigmoid": ("alpha", "beta"), "LeakyRelu": ("alpha",), "Elu": ("alpha",),
    "Softplus": (), "Softsign": (), "HardSwish": (), "Selu": ("alpha", "gamma"), "ThresholdedRelu": ("alpha",),
}  # fmt: skip
_CONV = ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
_PRODUCT = ("alpha", "transA", "transB")


def gelu(b: Builder, x: str, *, fast: bool = False) -> str:
    """The Gaussian error linear unit, or its approximation by a hyperbolic tangent."""
    more: dict[str, Any] = {"approximate": "tanh"} if fast else {}
    return b.add("Gelu", x, like=x, **more)


def silu(b: Builder, x: str, factor: float = 1.0) -> str:
    """x sigmoid(factor x)."""
    return b.add("Mul", x, b.add("Sigmoid", b.scaled(x, factor)))


def _activated(b: Builder, x: str, name: str, values: tuple[float, ...]) -> str:
    """A fused activation; `values` are its parameters in the order alpha, beta, gamma."""
    if not name:
        return x
    if name == "Clip":
        return b.add("Clip", x, *(b.constant(float(value), b.kind(x)) for value in values[:2]))
    if name not in _ACTIVATIONS:
        raise b.refused(f"has the activation {name!r}, which is not supported", allowed=", ".join(_ACTIVATIONS))
    named: dict[str, Any] = dict(zip(_ACTIVATIONS[name], map(float, values), strict=False))
    return b.add(name, x, **named)


def _convolution(b: Builder) -> None:
    attributes = {name: b.attribute(name) for name in _CONV if b.attribute(name) is not None}
    x = b.add("Conv", *(name for name in (b.needed(0), b.needed(1), b.input(2)) if name), **attributes)
    values = tuple(b.attribute("activation_params", ()))
    b.give(0, _activated(b, b.plus(x, b.input(3)), b.attribute("activation", ""), values))


def _gemm(b: Builder) -> None:
    attributes = {name: b.attribute(name) for name in (*_PRODUCT, "beta") if b.attribute(name) is not None}
    x = b.add("Gemm", *(name for name in (b.needed(0), b.needed(1), b.input(2)) if name), **attributes)
    values = (b.attribute(f"activation_{name}") for name in ("alpha", "beta", "gamma"))
    b.give(0, _activated(b, x, b.attribute("activation", ""), tuple(value for value in values if value is not None)))


def _product(b: Builder) -> str:
    first, second = (
        _turned(b, b.needed(index), b.whole(f"trans{side}", 0), b.whole(f"transBatch{side}", 0))
        for index, side in enumerate("AB")
    )
    return b.scaled(b.add("MatMul", first, second), b.attribute("alpha", 1.0))


def _turned(b: Builder, x: str, last: int, batch: int) -> str:
    """A factor, transposed in its last two dimensions and moved from before its batch dimensions to behind them."""
    rank = b.rank(x)
    order = list(range(rank))
    if batch and rank > 2:
        order = [*order[1:-1], 0, rank - 1]
    if last and rank > 1:
        order[-2:] = order[:-3:-1]
    return x if order == list(range(rank)) else b.transpose(x, *order)


def _matmul(b: Builder) -> None:
    b.give(0, _product(b))


def _matmul_activation(b: Builder) -> None:
    values = (b.attribute(f"activation_{name}") for name in ("alpha", "beta", "gamma"))
    given = tuple(value for value in values if value is not None)
    b.give(0, _activated(b, _product(b), b.attribute("activation", ""), given))


def _gelu(b: Builder) -> None:
    b.give(0, gelu(b, b.needed(0)))


def _bias_gelu(b: Builder) -> None:
    b.give(0, gelu(b, b.plus(b.needed(0), b.needed(1))))


def _fast_gelu(b: Builder) -> None:
    b.give(0, gelu(b, b.plus(b.needed(0), b.input(1)), fast=True))


def _gemm_fast_gelu(b: Builder) -> None:
    b.give(0, gelu(b, b.plus(b.add("MatMul", b.needed(0), b.needed(1)), b.input(2)), fast=True))


def _quick_gelu(b: Builder) -> None:
    b.give(0, silu(b, b.needed(0), b.attribute("alpha", 1.702)))


def _split_gelu(b: Builder) -> None:
    """x * gelu(y) of the halves x, y of the last dimension."""
    x = b.plus(b.needed(0), b.needed(1))
    axis, width = b.rank(x) - 1, b.shape(x)[-1]
    halves = b.slice(x, axis, 0, width // 2), b.slice(x, axis, width // 2, width)
    b.give(0, b.add("Mul", halves[0], gelu(b, halves[1])))


def _bias_add(b: Builder) -> None:
    b.give(0, b.plus(b.needed(0), b.needed(1), b.needed(2)))


def _bias_dropout(b: Builder) -> None:
    """Outside training nothing is dropped."""
    training = b.value(b.input(4)) if b.input(4) else None
    if b.input(4) and (training is None or training.reshape(-1)[0]):
        raise b.refused("drops values as in training", allowed="a model exported for inference")
    if b.wants(1):
        raise b.refused("has a mask of dropped values as a result", allowed="a model exported for inference")
    b.give(0, b.plus(b.needed(0), b.needed(1), b.input(2)))


def _bias_softmax(b: Builder) -> None:
    """Softmax over all dimensions from `axis` on."""
    x = b.plus(b.needed(0), b.needed(1))
    shape, axis = b.shape(x), b.whole("axis", 1) % max(1, b.rank(x))
    if axis == len(shape) - 1:
        b.give(0, b.add("Softmax", x, axis=-1))
        return
    rest = 1
    for size in shape[axis:]:
        rest *= size
    b.give(0, b.reshape(b.add("Softmax", b.reshape(x, *shape[:axis], rest), axis=-1), *shape))


_BATCHED = (*_PRODUCT, "transBatchA", "transBatchB")
_ACTIVATED = ("activation", "activation_alpha", "activation_beta", "activation_gamma")
RULES = {
    "com.microsoft.BiasAdd": (_bias_add, ()),
    "com.microsoft.BiasDropout": (_bias_dropout, ("seed",)),
    "com.microsoft.BiasGelu": (_bias_gelu, ()),
    "com.microsoft.BiasSoftmax": (_bias_softmax, ("axis", "is_inner_broadcast")),
    "com.microsoft.BiasSplitGelu": (_split_gelu, ()),
    "com.microsoft.FastGelu": (_fast_gelu, ()),
    "com.microsoft.FusedConv": (_convolution, (*_CONV, "activation", "activation_params")),
    "com.microsoft.FusedGemm": (_gemm, (*_PRODUCT, "beta", *_ACTIVATED)),
    "com.microsoft.FusedMatMul": (_matmul, _BATCHED),
    "com.microsoft.FusedMatMulActivation": (_matmul_activation, (*_BATCHED, *_ACTIVATED)),
    "com.microsoft.Gelu": (_gelu, ()),
    "com.microsoft.GemmFastGelu": (_gemm_fast_gelu, ()),
    "com.microsoft.QuickGelu": (_quick_gelu, ("alpha",)),
    "com.microsoft.TransposeMatMul": (_matmul, _BATCHED),
}
