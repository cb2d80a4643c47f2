"""The nine networks as published."""

from collections import Counter

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.workload import load_network
from imcevo.workload.published import DIFFERENCES, DIMENSIONS, PUBLISHED_NETWORKS, published_suite

# Layers and multiply-accumulates of the published files themselves.
LAYERS = {
    "alexnet": 8, "densenet201": 201, "gpt2_medium": 145, "mobilebert": 409, "mobilenet_v3": 64, "resnet18": 21,
    "resnet50": 62, "vgg16": 16, "vision_transformer": 98,
}  # fmt: skip


def macs_of(suite):
    return suite.layers.T @ suite.sizes.prod(axis=1)


def test_every_network_is_there():
    assert set(LAYERS) == set(PUBLISHED_NETWORKS)
    assert published_suite(PUBLISHED_NETWORKS).layers.sum(axis=0).tolist() == [LAYERS[n] for n in PUBLISHED_NETWORKS]


# torchvision's published multiply-accumulates (GFLOPS column of its model table).
@pytest.mark.parametrize(
    ("name", "macs"),
    [("resnet18", 1.814e9), ("vgg16", 15.47e9), ("alexnet", 0.714e9), ("densenet201", 4.291e9), ("resnet50", 4.089e9)],
)
def test_networks_without_a_stated_difference_have_the_standard_macs(name, macs):
    standard = macs_of(published_suite([name]))[0] == pytest.approx(macs, rel=0.01)
    assert standard == (DIFFERENCES[name] == "")


@pytest.mark.parametrize(("name", "correct"), [("resnet18", "resnet18"), ("mobilenet_v3", "mobilenet_v3_large")])
def test_networks_without_a_stated_difference_have_the_layers_of_the_library(name, correct):
    suite = published_suite([name])
    ours = Counter(dict(zip(map(tuple, suite.sizes.tolist()), suite.layers[:, 0].tolist(), strict=True)))
    matrices = [layer for layer in load_network(correct).layers if layer.kind == "matrix"]
    assert ours == Counter(tuple(getattr(layer, d) for d in DIMENSIONS[:-1]) for layer in matrices)


def test_suite_shares_shapes_and_loses_no_layer():
    names = ["resnet18", "mobilenet_v3", "vgg16"]
    suite = published_suite(names)
    assert len(np.unique(suite.sizes, axis=0)) == len(suite.sizes)
    assert suite.layers.sum(axis=0).tolist() == [LAYERS[name] for name in names]
    assert macs_of(suite).tolist() == [macs_of(published_suite([name]))[0] for name in names]
    assert ((suite.inputs > 0) == (suite.layers > 0)).all()
    # A mean level is at most 1, and so is its product with another.
    assert (suite.inputs <= suite.layers).all()
    assert (suite.products <= suite.inputs[:, :, None] + 1e-12).all()


def test_order_of_networks_is_the_order_asked_for():
    forward, backward = published_suite(["alexnet", "resnet18"]), published_suite(["resnet18", "alexnet"])
    assert forward.inputs.sum(axis=0).tolist() == pytest.approx(backward.inputs.sum(axis=0)[::-1].tolist())


@pytest.mark.parametrize(("names", "message"), [(["resnet118"], "resnet18"), ([], "at least one")])
def test_unknown_or_missing_networks_are_told(names, message):
    with pytest.raises(UserError, match=message):
        published_suite(names)
