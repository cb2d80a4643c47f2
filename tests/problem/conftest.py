from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.toml_text import to_toml
from tests.problem.configs import CONFIG
from tests.problem.fakes import FakeSimulator


@pytest.fixture
def config() -> dict[str, Any]:
    return copy.deepcopy(CONFIG)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    def write(config: dict[str, Any]) -> Path:
        file = tmp_path / "problem.toml"
        file.write_text(to_toml(config))
        return file

    return write


@pytest.fixture
def load(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[dict[str, Any]], Path]
) -> Callable[..., CodesignProblem]:
    """Load a config with the fake simulator behind it."""
    monkeypatch.setattr(
        "imcevo.problem.profiles.physical_simulator",
        lambda networks, *rest, **more: FakeSimulator([network.name for network in networks]),
    )
    return lambda config: load_problem(write(config))


@pytest.fixture
def problem(load: Callable[..., CodesignProblem], config: dict[str, Any]) -> CodesignProblem:
    return load(config)
