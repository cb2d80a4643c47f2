"""Small trained networks, run layer by layer through simulated arrays.

Trained by `experiments/reproduce/train_small_networks.py`; see `data/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import unknown_name

TRAINED_NETWORKS = ("digits_cnn", "digits_mlp", "breast_cancer_mlp", "breast_cancer_mlp_swapped")
BITS = 8  # of weights and activations
_LARGEST_CODE = 2**BITS - 1
Integers = NDArray[np.int64]
NumberT = TypeVar("NumberT", np.float64, np.int64)
Product = Callable[[int, Integers, Integers], NDArray[np.float64]]


@dataclass(frozen=True)
class TrainedNetwork:
    """Convolutions of 3x3 (stride 1, zero padding), 2x2 max pooling, then linear layers; ReLU between layers.

    Attributes:
        convolutions: how many of the layers are convolutions.
        weights: per layer ``[K, M]``, signed 8-bit.
        bias: per layer ``[M]``, in units of the integer sums.
        codes_per_sum: per layer, next layer's input code per unit of its sum.
        calibration: training inputs that set converter ranges, unsigned 8-bit ``[n, ...]``.
        test: test inputs ``[n_test, ...]``.
        labels: ``[n_test]``.
    """

    name: str
    convolutions: int
    weights: tuple[Integers, ...]
    bias: tuple[Integers, ...]
    codes_per_sum: tuple[float, ...]
    calibration: Integers
    test: Integers
    labels: Integers

    def layer_inputs(self, inputs: Integers) -> list[Integers]:
        """Exact input vectors of every layer ``[n_vectors, K]`` for network inputs."""
        seen: list[Integers] = []

        def recorded(layer: int, x: Integers, w: Integers) -> NDArray[np.float64]:
            seen.append(x)
            return exact_product(layer, x, w)

        self.logits(inputs, recorded)
        return seen

    def logits(self, inputs: Integers, product: Product) -> NDArray[np.float64]:
        """Outputs ``[n, n_classes]``; `product(layer, x [n_vectors, K], weights [K, M])` multiplies."""
        x = inputs
        for layer, (weights, bias) in enumerate(zip(self.weights, self.bias, strict=True)):
            x = patches(x) if layer < self.convolutions else x.reshape(len(x), -1)
            sums = product(layer, x.reshape(-1, len(weights)), weights) + bias
            if layer == len(self.weights) - 1:
                return sums
            codes = np.clip(np.round(sums * self.codes_per_sum[layer]), 0, _LARGEST_CODE).astype(np.int64)
            x = codes.reshape(*x.shape[:-1], weights.shape[1])
            if layer == self.convolutions - 1:
                x = pooled(x)
        raise AssertionError("a network has layers")

    def accuracy(self, product: Product) -> float:
        """Share of test inputs classified rightly."""
        return float((self.logits(self.test, product).argmax(axis=1) == self.labels).mean())


def exact_product(_layer: int, x: Integers, weights: Integers) -> NDArray[np.float64]:
    """The product itself; float64 holds these integers exactly."""
    return x.astype(np.float64) @ weights.astype(np.float64)


def trained_network(name: str) -> TrainedNetwork:
    """The shipped network of that name.

    Raises:
        UserError: unknown name.
    """
    if name not in TRAINED_NETWORKS:
        raise unknown_name("trained network", name, TRAINED_NETWORKS)
    source = resources.files("imcevo") / "accuracy" / "data" / f"{name}.npz"
    with source.open("rb") as file, np.load(file, allow_pickle=False) as data:
        layers = range(int(data["n_layers"]))
        arrays = {key: data[key].astype(np.int64) for key in data.files if not key.startswith("codes_per_sum")}
        codes_per_sum = tuple(float(data[f"codes_per_sum_{layer}"]) for layer in layers)
    return TrainedNetwork(
        name, int(arrays["convolutions"]), tuple(arrays[f"weights_{layer}"] for layer in layers),
        tuple(arrays[f"bias_{layer}"] for layer in layers), codes_per_sum, arrays["calibration"], arrays["test"],
        arrays["labels"],
    )  # fmt: skip


def patches(images: NDArray[NumberT]) -> NDArray[NumberT]:
    """3x3 neighbourhoods of ``[n, h, w, c]``, zero outside: ``[n, h, w, 9 c]``, kernel row, column, channel."""
    h, w = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.concatenate([padded[:, r : r + h, s : s + w] for r in range(3) for s in range(3)], axis=-1)


def pooled(images: NDArray[NumberT]) -> NDArray[NumberT]:
    """2x2 max pooling of ``[n, h, w, c]``."""
    n, h, w, c = images.shape
    return cast(NDArray[NumberT], images.reshape(n, h // 2, 2, w // 2, 2, c).max(axis=(2, 4)))
