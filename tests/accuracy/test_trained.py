"""The shipped networks: as accurate as stated, exact on lossless arrays, worse on bad ones."""

from importlib import resources

import numpy as np
import pytest

from imcevo.accuracy.monte_carlo import multiply
from imcevo.accuracy.readout import readout_table
from imcevo.accuracy.slicing import Slicing
from imcevo.accuracy.statistics import measured_statistics
from imcevo.accuracy.trained import TRAINED_NETWORKS, exact_product, patches, pooled, trained_network
from imcevo.errors import UserError


@pytest.mark.parametrize(("name", "accuracy"), [*zip(TRAINED_NETWORKS, (0.982, 0.975, 0.972, 0.979), strict=True)])
def test_accuracy_of_the_quantised_network(name, accuracy):
    assert trained_network(name).accuracy(exact_product) == pytest.approx(accuracy, abs=5e-4)


def test_arrays_that_lose_nothing_give_the_same_outputs():
    network = trained_network("digits_mlp")
    inputs = network.layer_inputs(network.calibration)
    statistics = [measured_statistics(x, w, Slicing(8, 8)) for x, w in zip(inputs, network.weights, strict=True)]

    def on_arrays(adc_bits):
        readout = readout_table(rows_active=64, folds=1, adc_bits=adc_bits, calibrated=0)

        def product(layer, x, w):
            readout["folds"] = -(-len(w) // 64)
            return multiply(x, w, statistics[layer], readout, seed=0)

        return network.logits(network.test[:100], product)

    exact = network.logits(network.test[:100], exact_product)
    assert (on_arrays(7) == exact).all()
    assert (on_arrays(3).argmax(axis=1) != exact.argmax(axis=1)).sum() > 20


def test_the_data_is_small_and_an_unknown_network_is_named():
    folder = resources.files("imcevo") / "accuracy" / "data"
    assert sum(len(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".npz")) < 300_000
    with pytest.raises(UserError, match="digits_cnn"):
        trained_network("digits_cn")


def test_patches_and_pooling():
    image = np.arange(16).reshape(1, 4, 4, 1)
    assert patches(image)[0, 1, 1].tolist() == [0, 1, 2, 4, 5, 6, 8, 9, 10]
    assert patches(image)[0, 0, 0].tolist() == [0, 0, 0, 0, 0, 1, 0, 4, 5]
    assert pooled(image)[0, :, :, 0].tolist() == [[5, 7], [13, 15]]
