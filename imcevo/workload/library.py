"""Networks by name: those that ship with the package, or a user's layer CSV; suites of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import cast

from imcevo.config import StrictModel, load_model
from imcevo.errors import unknown_name
from imcevo.workload.csvfile import read_network_csv
from imcevo.workload.network import Network
from imcevo.workload.networks.alexnet import alexnet
from imcevo.workload.networks.bert_base import bert_base
from imcevo.workload.networks.deepspeech import deepspeech
from imcevo.workload.networks.densenet201 import densenet201
from imcevo.workload.networks.dlrm import dlrm_kaggle
from imcevo.workload.networks.gcn_cora import gcn_cora
from imcevo.workload.networks.gpt2_medium import gpt2_medium_decode, gpt2_medium_prefill
from imcevo.workload.networks.gru_kws import gru_kws
from imcevo.workload.networks.llama32_1b import llama32_1b_decode, llama32_1b_prefill
from imcevo.workload.networks.lstm_lm import lstm_lm
from imcevo.workload.networks.mlperf_tiny import autoencoder_ad, ds_cnn_kws, mobilenet_v1_vww, resnet8
from imcevo.workload.networks.mobilebert import mobilebert
from imcevo.workload.networks.mobilenet_v3_large import mobilenet_v3_large
from imcevo.workload.networks.ncf import ncf
from imcevo.workload.networks.resnet18 import resnet18
from imcevo.workload.networks.resnet50 import resnet50
from imcevo.workload.networks.vgg16 import vgg16
from imcevo.workload.networks.vit_b16 import vit_b16

# Every builder's default is the network that ships; its function's name is the network's.
_BUILDERS: dict[str, Callable[[], Network]] = {
    build.__name__: build
    for build in cast(
        "tuple[Callable[[], Network], ...]",
        (
            alexnet, autoencoder_ad, bert_base, deepspeech, densenet201, dlrm_kaggle, ds_cnn_kws, gcn_cora,
            gpt2_medium_decode, gpt2_medium_prefill, gru_kws, llama32_1b_decode, llama32_1b_prefill, lstm_lm,
            mobilebert, mobilenet_v1_vww, mobilenet_v3_large, ncf, resnet18, resnet50, resnet8, vgg16, vit_b16,
        ),
    )
}  # fmt: skip


class Suite(StrictModel):
    """Networks that are asked for together; ``workloads.suite`` of a problem file.

    Attributes:
        description: what the networks have in common.
        source: where the choice comes from.
        networks: names of shipped networks.
    """

    description: str
    source: str
    networks: list[str]


class _SuiteFile(StrictModel):
    suites: dict[str, Suite]


def network_names() -> tuple[str, ...]:
    """Names of the networks that ship with the package."""
    return tuple(_BUILDERS)


@cache
def suites() -> dict[str, Suite]:
    """The suites that ship with the package, by name."""
    with resources.as_file(resources.files("imcevo") / "workload" / "data" / "suites.toml") as path:
        return load_model(path, _SuiteFile, what="the suites").suites


def load_suite(name: str, *, file: Path | str | None = None, key: str | None = None) -> Suite:
    """The suite of that name.

    Raises:
        UserError: unknown name (with the nearest known one).
    """
    known = suites()
    if name not in known:
        raise unknown_name("suite", name, known, file=file, key=key)
    return known[name]


def load_network(
    name_or_csv_path: str,
    *,
    relative_to: Path | None = None,
    file: Path | str | None = None,
    key: str | None = None,
) -> Network:
    """A shipped network, or the network in a layer CSV if the name ends in ``.csv``.

    Args:
        name_or_csv_path: what the user wrote.
        relative_to: folder that a relative path starts from; the working directory if None.
        file, key: where the user wrote it, for the message.

    Raises:
        UserError: unknown name (with the nearest known one), or a mistake in the CSV.
    """
    if name_or_csv_path.endswith(".csv"):
        return read_network_csv((relative_to or Path()) / name_or_csv_path)
    if name_or_csv_path not in _BUILDERS:
        raise unknown_name("network", name_or_csv_path, _BUILDERS, file=file, key=key)
    return _BUILDERS[name_or_csv_path]()
