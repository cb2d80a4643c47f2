"""One layer of a network: its loop sizes, operands and value statistics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from imcevo.errors import UserError

Kind = Literal["matrix", "elementwise", "lookup"]
KINDS: tuple[Kind, ...] = ("matrix", "elementwise", "lookup")

LARGEST_SIZE = 2**31
MOST_BITS = {"input_bits": 8, "weight_bits": 8, "output_bits": 32}


@dataclass(frozen=True)
class Layer:
    """A layer in the loop sizes that mapping and counting work on.

    ``matrix``: a convolution, linear layer, recurrent step or attention product: output
    ``[N, G, M, P, Q]`` = sum over C, R, S of input ``[N, G, C, H, W]`` times weight ``[G, M, C, R, S]``. C and M are
    per group. ``elementwise``: `ops` arithmetic operations on input elements N*G*C*H*W giving N*G*M*P*Q
    elements. ``lookup``: N*P*Q rows of G*M elements read from a table of `parameters` values that stays in DRAM.

    Attributes:
        dynamic: the "weights" are activations too (attention): they cannot sit in a non-volatile array.
        sequential: output rows P depend on one another (recurrent steps): no duplication over P.
        pad_h, pad_w: zero rows above and zero columns left of the input (below and right follow from P, Q).
        parameters: stored values, biases and scales included; -1 means "as many as the matrix has weights".
        ops: element-wise operations per inference (kind ``elementwise``).
        fused: the operation (kind ``elementwise``) is done on values on their way to the global buffer, such as an
            activation function behind a matrix layer: it moves no data of its own.
        held_elements: other tensors that must stay on chip meanwhile (residual branches), in elements.
        from_dram, to_dram: the layer reads the network's input, or writes an output of it (a key-value cache is one).
        statistics: name of the value distribution of the inputs (`imcevo.workload.statistics`).
        stored_as: name of the stored tensor that holds the layer's weights, or the table of a ``lookup``. Layers of one
            network with the same name share one copy of the tensor, and its `parameters` count once; empty: the layer
            has a tensor of its own.
        shared_weights: how many of the weights are in tensors of earlier layers too, which have another name (slices
            that overlap in part). The network's total of weights counts them once; arrays hold each layer's apart.
        input_bits, weight_bits, output_bits: precision of this layer; 0 leaves it to the problem.
    """

    name: str
    kind: Kind = "matrix"
    N: int = 1
    C: int = 1
    M: int = 1
    P: int = 1
    Q: int = 1
    R: int = 1
    S: int = 1
    G: int = 1
    stride_h: int = 1
    stride_w: int = 1
    pad_h: int = 0
    pad_w: int = 0
    H: int = 1
    W: int = 1
    dynamic: bool = False
    sequential: bool = False
    parameters: int = -1
    ops: int = 0
    fused: bool = False
    held_elements: int = 0
    from_dram: bool = False
    to_dram: bool = False
    statistics: str = "relu"
    stored_as: str = ""
    shared_weights: int = 0
    input_bits: int = 0
    weight_bits: int = 0
    output_bits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError("is not a layer kind", key=f"{self.name}: kind", value=self.kind, allowed=", ".join(KINDS))
        for key in ("N", "C", "M", "P", "Q", "R", "S", "G", "stride_h", "stride_w", "H", "W"):
            size = getattr(self, key)
            if not isinstance(size, int) or not 1 <= size < LARGEST_SIZE:
                raise UserError("is out of range", key=f"{self.name}: {key}", value=size, allowed="1 to 2^31")
        for key in ("pad_h", "pad_w", "ops", "held_elements"):
            size = getattr(self, key)
            if not isinstance(size, int) or size < 0:
                raise UserError("is negative", key=f"{self.name}: {key}", value=size, allowed="0 or more")
        for key, most in MOST_BITS.items():
            bits = getattr(self, key)
            if not isinstance(bits, int) or not 0 <= bits <= most:
                allowed = f"1 to {most}, or 0 for the problem's"
                raise UserError("is out of range", key=f"{self.name}: {key}", value=bits, allowed=allowed)
        stored = 0 if self.dynamic else self.weights
        if not isinstance(self.shared_weights, int) or not 0 <= self.shared_weights <= stored:
            allowed = f"0 to the layer's {stored} stored weights"
            raise UserError(
                "is out of range", key=f"{self.name}: shared_weights", value=self.shared_weights, allowed=allowed
            )
        if self.fused and self.kind != "elementwise":
            raise UserError("only element-wise layers are fused", key=f"{self.name}: fused", value=self.fused)
        if self.stored_as and (self.dynamic or self.kind == "elementwise"):
            raise UserError(
                "names a stored tensor for a layer that has none", key=f"{self.name}: stored_as", value=self.stored_as,
                allowed="empty: only matrix layers that are not dynamic, and lookups, have one",
            )  # fmt: skip

    @property
    def K(self) -> int:
        """Reduction length per group."""
        return self.C * self.R * self.S

    @property
    def vectors(self) -> int:
        """Input vectors per group and inference."""
        return self.N * self.P * self.Q

    @property
    def weights(self) -> int:
        """Values of the second operand (0 where there is none)."""
        return self.G * self.K * self.M if self.kind == "matrix" else 0

    @property
    def macs(self) -> int:
        """Multiply-accumulates per inference, padding included as the published totals count it."""
        return self.vectors * self.weights

    @property
    def n_parameters(self) -> int:
        """Stored parameters (attention products store none)."""
        if self.parameters >= 0:
            return self.parameters
        return 0 if self.dynamic else self.weights

    @property
    def input_elements(self) -> int:
        """Elements read (once each); none where they come by on their way."""
        return 0 if self.fused or self.kind == "lookup" else self.N * self.G * self.C * self.H * self.W

    @property
    def output_elements(self) -> int:
        """Elements written; none where they were on their way anyway."""
        return 0 if self.fused else self.N * self.G * self.M * self.P * self.Q

    def batched(self, batch: int) -> Layer:
        """The layer on `batch` inferences; products of two activations become as many products (groups)."""
        if self.dynamic:
            return replace(self, G=self.G * batch, held_elements=self.held_elements * batch)
        return replace(
            self, N=self.N * batch, ops=self.ops * batch, held_elements=self.held_elements * batch
        )
