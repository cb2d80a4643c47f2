"""Train the small networks of `imcevo validate snr` and write `imcevo/accuracy/data/*.npz`.

    python -m experiments.reproduce.train_small_networks

Needs scikit-learn (data sets and MLP training; not a dependency of the package). Weights are 8-bit, symmetric per
layer; activations are unsigned 8-bit after ReLU, scaled by their largest value on the training set.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from imcevo.accuracy.trained import patches, pooled

DATA = Path(__file__).parents[2] / "imcevo" / "accuracy" / "data"
LEVELS, WEIGHT_LEVELS = 255, 127
CALIBRATION_INPUTS = 128
Array = NDArray[np.float64]


def train_mlp(x: Array, labels: NDArray[np.int64], hidden: tuple[int, ...], seed: int) -> list[tuple[Array, Array]]:
    model = MLPClassifier(hidden, alpha=1e-3, max_iter=400, random_state=seed).fit(x, labels)
    weights, biases = [*model.coefs_], [*model.intercepts_]
    if weights[-1].shape[1] == 1:  # one logit for two classes
        weights[-1], biases[-1] = np.hstack([-weights[-1], weights[-1]]), np.concatenate([-biases[-1], biases[-1]])
    return list(zip(weights, biases, strict=True))


def train_cnn(
    images: Array, labels: NDArray[np.int64], channels: tuple[int, int], seed: int
) -> list[tuple[Array, Array]]:
    """3x3 convolution, ReLU, 3x3 convolution, ReLU, 2x2 max pooling, linear; Adam on the cross-entropy."""
    rng = np.random.default_rng(seed)
    first, second = channels
    shapes = [(9, first), (9 * first, second), (16 * second, 10)]
    parameters = [part for shape in shapes
                  for part in (rng.normal(0, np.sqrt(2 / shape[0]), shape), np.zeros(shape[1]))]  # fmt: skip
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    for step in range(1, 1501):
        batch = rng.integers(0, len(images), 64)
        gradients = _gradients(parameters, images[batch], labels[batch])
        rate = 2e-3 * (1 - step / 1501)
        for p, g, mean, square in zip(parameters, gradients, means, squares, strict=True):
            mean += 0.1 * (g - mean)
            square += 0.001 * (g * g - square)
            p -= rate * (mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8) + 1e-3 * p)
    return list(zip(parameters[0::2], parameters[1::2], strict=True))


def _gradients(parameters: list[Array], images: Array, labels: NDArray[np.int64]) -> list[Array]:
    w1, b1, w2, b2, w3, b3 = parameters
    n = len(images)
    x1 = patches(images)
    h1 = np.maximum(x1 @ w1 + b1, 0)
    x2 = patches(h1)
    h2 = np.maximum(x2 @ w2 + b2, 0)
    p2 = pooled(h2)
    flat = p2.reshape(n, -1)
    logits = flat @ w3 + b3
    delta = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(n), labels] -= 1
    delta /= n
    back = (delta @ w3.T).reshape(p2.shape)
    d2 = np.repeat(np.repeat(back, 2, axis=1), 2, axis=2)
    d2 = d2 * (h2 == np.repeat(np.repeat(p2, 2, axis=1), 2, axis=2)) * (h2 > 0)
    d1 = _unpatched(d2 @ w2.T, h1.shape) * (h1 > 0)
    pixels = (0, 1, 2)
    return [np.tensordot(x1, d1, axes=(pixels, pixels)), d1.sum(axis=pixels),
            np.tensordot(x2, d2, axes=(pixels, pixels)), d2.sum(axis=pixels),
            flat.T @ delta, delta.sum(axis=0)]  # fmt: skip


def _unpatched(gradient: Array, shape: tuple[int, ...]) -> Array:
    n, h, w, c = shape
    parts = gradient.reshape(n, h, w, 9, c)
    padded = np.zeros((n, h + 2, w + 2, c))
    for tap in range(9):
        r, s = divmod(tap, 3)
        padded[:, r : r + h, s : s + w] += parts[:, :, :, tap]
    return padded[:, 1:-1, 1:-1]


def quantised(layers: list[tuple[Array, Array]], x: Array, convolutions: int) -> dict[str, Any]:
    """Arrays of the stored network: int8 weights, biases in units of the integer sums, and codes per integer sum."""
    stored: dict[str, Any] = {}
    input_scale = 1.0 / LEVELS  # value of one input code
    for number, (weight, bias) in enumerate(layers):
        weight_scale = np.abs(weight).max() / WEIGHT_LEVELS
        unit = input_scale * weight_scale
        x = patches(x) if number < convolutions else x.reshape(len(x), -1)
        x = np.maximum(x @ weight + bias, 0)
        if number == convolutions - 1:
            x = pooled(x)
        output_scale = x.max() / LEVELS
        stored[f"weights_{number}"] = np.round(weight / weight_scale).astype(np.int8)
        stored[f"bias_{number}"] = np.round(bias / unit).astype(np.int32)
        stored[f"codes_per_sum_{number}"] = np.float64(unit / output_scale)
        input_scale = output_scale
    return stored


def write(
    name: str, x: Array, labels: NDArray[np.int64], kind: str, sizes: tuple[int, ...], seed: int, test_share: float,
    swapped: bool = False,
) -> None:  # fmt: skip
    x_train, x_test, y_train, y_test = train_test_split(x, labels, test_size=test_share, random_state=seed,
                                                        stratify=labels)  # fmt: skip
    if swapped:
        x_train, x_test, y_train, y_test = x_test, x_train, y_test, y_train
    low, high = x_train.min(axis=0), x_train.max(axis=0)
    if kind == "cnn":
        low, high = np.zeros_like(low), np.full_like(high, 16.0)
    span = np.where(high > low, high - low, 1.0)
    train, test = (np.clip((part - low) / span, 0, 1) for part in (x_train, x_test))
    convolutions = 0
    if kind == "cnn":
        train, test = (part.reshape(-1, 8, 8, 1) for part in (train, test))
        layers, convolutions = train_cnn(train, y_train, (sizes[0], sizes[1]), seed), 2
    else:
        layers = train_mlp(train, y_train, sizes, seed)
    arrays = quantised(layers, train, convolutions)
    np.savez_compressed(
        DATA / f"{name}.npz", convolutions=np.int64(convolutions), n_layers=np.int64(len(layers)),
        calibration=np.round(train[:CALIBRATION_INPUTS] * LEVELS).astype(np.uint8),
        test=np.round(test * LEVELS).astype(np.uint8), labels=y_test.astype(np.uint8), **arrays,
    )  # fmt: skip


def main() -> None:
    digits, cancer = load_digits(), load_breast_cancer()
    write("digits_cnn", digits.data, digits.target, "cnn", (16, 24), 1, 1 / 3)
    write("digits_mlp", digits.data, digits.target, "mlp", (128, 64), 2, 1 / 3)
    for name, swapped in (("breast_cancer_mlp", False), ("breast_cancer_mlp_swapped", True)):
        write(name, cancer.data, cancer.target, "mlp", (64, 32), 3, 1 / 2, swapped)


if __name__ == "__main__":
    main()
