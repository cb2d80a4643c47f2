"""A small study on the fake simulator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from imcevo.problem.toml_text import to_toml
from imcevo.study.config import Study, load_study
from tests.problem.configs import CONFIG

STUDY: dict[str, Any] = {
    "problem": "small.toml",
    "question": "Is one chip enough?",
    "seeds": [1, 2, 3],
    "workers": 1,
    "choice": {"metric": "edap_Jsm2", "aggregate": "mean"},
    "optimiser": {"name": "nsga2", "population": 24},
    "budget": {"evaluations": 100},
    "designs": [
        {"name": "joint", "front": True},
        {"name": "specialised", "networks": "each"},
        {"name": "largest", "networks": "largest"},
        {
            "name": "staged", "method": "sequential",
            "stages": [["cell", "node_nm", "voltage_V", "bits_per_cell"], ["rows", "cols", "adc_bits", "cols_per_adc"],
                       ["macros_per_tile"]],
        },
        {"name": "digital", "design_space": {"cell": "sram_digital"}},
    ],
}  # fmt: skip


def write_study(folder: Path, constraints: dict[str, object] | None = None, **replaced: Any) -> Study:
    """Problem and study in a folder, keys of the study replaced, and the study loaded."""
    config = copy.deepcopy(CONFIG)
    if constraints is not None:
        config["constraints"] = constraints
    (folder / "small.toml").write_text(to_toml(config))
    (folder / "study.toml").write_text(to_toml({**copy.deepcopy(STUDY), **replaced}))
    return load_study(folder / "study.toml")


@pytest.fixture
def study(fake_simulator: None, tmp_path: Path) -> Callable[..., Study]:
    """`write_study` into the test's folder."""
    return partial(write_study, tmp_path)
