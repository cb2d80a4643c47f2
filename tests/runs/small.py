"""A small problem with a fake simulator behind it, and an experiment on it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from imcevo.problem.toml_text import to_toml
from imcevo.runs import Experiment, load_experiment
from tests.problem.configs import CONFIG
from tests.problem.fakes import FakeSimulator

EXPERIMENT = """
problem = "small.toml"
seeds = [1]
threads = 1

[optimiser]
name = "nsga2"
population = 24

[budget]
evaluations = 400
"""

# The files that a run owes to its inputs alone.
SAME_BYTES = (
    "problem.toml", "evaluations.bin", "history.csv", "front.csv", "breakdown.csv", "checkpoint.npz",
    "experiment.toml",
)  # fmt: skip


@pytest.fixture
def fake_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_physical(monkeypatch)


def fake_physical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems on the physical profile get the fake simulator."""
    monkeypatch.setattr(
        "imcevo.problem.profiles.physical_simulator",
        lambda networks, *rest, **more: FakeSimulator([network.name for network in networks]),
    )


@pytest.fixture
def experiment(fake_simulator: None, tmp_path: Path) -> Callable[..., Experiment]:
    """Write problem and experiment into the test's folder, texts replaced as told, and load the experiment."""

    def make(*replaced: tuple[str, str], constraints: dict[str, object] | None = None) -> Experiment:
        config = copy.deepcopy(CONFIG)
        if constraints is not None:
            config["constraints"] = constraints
        (tmp_path / "small.toml").write_text(to_toml(config))
        text = EXPERIMENT
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "search.toml").write_text(text)
        return load_experiment(tmp_path / "search.toml")

    return make


def contents(folder: Path, names: tuple[str, ...] = SAME_BYTES) -> dict[str, bytes]:
    """Name -> content of files in a run folder."""
    return {name: (folder / name).read_bytes() for name in names}
