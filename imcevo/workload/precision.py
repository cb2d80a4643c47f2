"""At how many bits layers run: the problem's precision, and what networks or classes of layers differ in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from imcevo.config import StrictModel
from imcevo.errors import UserError, listed, unknown_name
from imcevo.workload.layers import MOST_BITS, Layer
from imcevo.workload.network import Network

LayerClass = Literal[
    "first", "last", "convolution", "depthwise", "linear", "recurrent", "attention", "elementwise"
]  # fmt: skip


class BitWidths(StrictModel):
    """Bits that replace those of the problem; what is left out stays."""

    input_bits: int | None = Field(default=None, ge=1, le=MOST_BITS["input_bits"])
    weight_bits: int | None = Field(default=None, ge=1, le=MOST_BITS["weight_bits"])
    output_bits: int | None = Field(default=None, ge=1, le=MOST_BITS["output_bits"])

    def given(self) -> dict[str, int]:
        """What is not left out."""
        return {key: bits for key in MOST_BITS if (bits := getattr(self, key)) is not None}


class NetworkBitWidths(BitWidths):
    """``[precision.networks.NAME]``: bits of one network, and of classes of its layers."""

    layers: dict[LayerClass, BitWidths] | None = None


class Precision(StrictModel):
    """Bits of the values that networks run on; ``[precision]`` of a problem file.

    The most specific wins: a layer's own bits (`Layer.weight_bits`, from a network file), then
    ``[precision.networks.NAME.layers.CLASS]``, ``[precision.networks.NAME]``, ``[precision.layers.CLASS]``,
    ``[precision]``. ``first`` and ``last``, the ends of a network, are more specific than the other classes, which
    exclude one another.
    """

    input_bits: int = Field(default=8, ge=1, le=8)
    weight_bits: int = Field(default=8, ge=1, le=8)
    output_bits: int = Field(default=8, ge=1, le=32)
    partial_sum_bits: int = Field(default=24, ge=1, le=64)
    layers: dict[LayerClass, BitWidths] | None = None
    networks: dict[str, NetworkBitWidths] | None = None


def layer_classes(network: Network) -> list[tuple[LayerClass, ...]]:
    """The classes of every layer, the most specific one last.

    ``first`` and ``last`` are the first and last layers with stored weights.
    """
    stored = [index for index, layer in enumerate(network.layers) if layer.kind == "matrix" and not layer.dynamic]
    classes: list[tuple[LayerClass, ...]] = [(_kind(layer),) for layer in network.layers]
    if stored:
        classes[stored[-1]] += ("last",)
        classes[stored[0]] += ("first",)
    return classes


def with_precision(networks: Sequence[Network], precision: Precision) -> list[Network]:
    """Networks whose layers carry the bits that `precision` gives their network or class.

    Raises:
        UserError: a network that is not there, or a class that no layer belongs to.
    """
    named = precision.networks or {}
    for name in named:
        known = [network.name for network in networks]
        if name not in known:
            raise unknown_name("network of this problem", name, known, key=f"precision.networks.{name}")
    classes = {network.name: layer_classes(network) for network in networks}
    _check_used(precision.layers, [c for every in classes.values() for c in every], "precision.layers")
    for name, bits in named.items():
        _check_used(bits.layers, classes[name], f"precision.networks.{name}.layers")
    return [
        replace(
            network,
            layers=tuple(
                _refined(layer, of_layer, precision.layers, named.get(network.name))
                for layer, of_layer in zip(network.layers, classes[network.name], strict=True)
            ),
        )
        for network in networks
    ]


def _kind(layer: Layer) -> LayerClass:
    if layer.kind != "matrix":
        return "elementwise"
    if layer.dynamic:
        return "attention"
    if layer.sequential:
        return "recurrent"
    if layer.G > 1 and layer.C == 1:
        return "depthwise"
    return "convolution" if layer.R * layer.S > 1 or layer.Q > 1 else "linear"


def _check_used(
    bits: Mapping[LayerClass, BitWidths] | None, classes: Sequence[tuple[LayerClass, ...]], key: str
) -> None:
    present = sorted({name for of_layer in classes for name in of_layer})
    for name in bits or {}:
        if name not in present:
            raise UserError("is a class that no layer belongs to", key=key, value=name, allowed=listed(present))


def _refined(
    layer: Layer,
    classes: tuple[LayerClass, ...],
    everywhere: Mapping[LayerClass, BitWidths] | None,
    network: NetworkBitWidths | None,
) -> Layer:
    """The layer with the bits it is given, but for those that it has of its own."""
    bits: dict[str, int] = {}
    for source in (everywhere, network, network.layers if network else None):
        if isinstance(source, BitWidths):
            bits |= source.given()
        else:
            for name in classes:
                bits |= source[name].given() if source and name in source else {}
    changed: dict[str, Any] = {key: value for key, value in bits.items() if not getattr(layer, key)}
    return replace(layer, **changed) if changed else layer
