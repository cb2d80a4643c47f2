"""Networks as lists of layers, and their totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from imcevo.errors import UserError
from imcevo.workload.layers import Layer

Family = Literal["cnn", "rnn", "transformer", "recommendation", "other"]
FAMILIES: tuple[Family, ...] = get_args(Family)


@dataclass(frozen=True)
class PublishedTotals:
    """What others report for a network, to check the layers against.

    Attributes:
        macs: multiply-accumulates per inference.
        parameters: stored parameters.
        source, macs_source: where `parameters` and `macs` come from.
        sequence_length: tokens or steps that `macs` is for; None where there is no sequence.
        attention_products_counted: whether `macs` includes the products of two activations.
        notes: further published figures and why they differ.
    """

    macs: int
    parameters: int
    source: str
    macs_source: str
    sequence_length: int | None = None
    attention_products_counted: bool = True
    notes: str = ""


@dataclass(frozen=True)
class Network:
    """A network: its layers in the order they run, each with a name of its own.

    Raises:
        UserError: no layer, a layer name used twice, an unknown family.
    """

    name: str
    family: Family
    description: str
    layers: tuple[Layer, ...]
    published: PublishedTotals | None = None

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UserError("is not a family", key="family", value=self.family, allowed=", ".join(FAMILIES))
        if not self.layers:
            raise UserError("has no layers", key=self.name, allowed="at least one layer")
        name, times = Counter(layer.name for layer in self.layers).most_common(1)[0]
        if times > 1:
            raise UserError(f"names {times} layers", key=self.name, value=name, allowed="names that differ")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all matrix layers per inference, attention products included."""
        return sum(layer.macs for layer in self.layers)

    @property
    def attention_macs(self) -> int:
        """Those among `macs` whose operands are both activations."""
        return sum(layer.macs for layer in self.layers if layer.dynamic)

    @property
    def macs_as_published(self) -> int:
        """`macs`, counted as the published total counts them."""
        counted = self.published is None or self.published.attention_products_counted
        return self.macs if counted else self.macs - self.attention_macs

    @property
    def parameters(self) -> int:
        """Stored parameters: weights, biases, scales and embedding tables.

        What layers share (`Layer.stored_as`) counts once, the largest where they say different sizes: a layer that adds
        to the shared tensor values of its own (a second bias) names them in the largest.
        """
        return _stored((layer.stored_as, layer.n_parameters) for layer in self.layers)

    @property
    def array_weights(self) -> int:
        """Weights that need a cell in an array: no biases, no scales, no tables, no activations; shared ones once."""
        return _stored((layer.stored_as, layer.weights) for layer in self.layers if not layer.dynamic)

    def batched(self, batch: int) -> Network:
        """The network on `batch` inferences at once: all meet the same weights, each its own activations."""
        if batch == 1:
            return self
        return replace(self, layers=tuple(layer.batched(batch) for layer in self.layers))


def _stored(sizes: Iterable[tuple[str, int]]) -> int:
    """Sum of (name of the stored tensor, values); every name once with its most values, no name always."""
    own, shared = 0, dict[str, int]()
    for name, values in sizes:
        if name:
            shared[name] = max(shared.get(name, 0), values)
        else:
            own += values
    return own + sum(shared.values())
