"""A small study on the fake simulator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imcevo.experiment.study_config import Study, load_study
from imcevo.problem.toml_text import to_toml
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


@pytest.fixture
def study(fake_simulator: None, tmp_path: Path) -> Callable[..., Study]:
    """Write problem and study into the test's folder, keys of the study replaced, and load the study."""

    def make(constraints: dict[str, object] | None = None, **replaced: Any) -> Study:
        config = copy.deepcopy(CONFIG)
        if constraints is not None:
            config["constraints"] = constraints
        (tmp_path / "small.toml").write_text(to_toml(config))
        (tmp_path / "study.toml").write_text(to_toml({**copy.deepcopy(STUDY), **replaced}))
        return load_study(tmp_path / "study.toml")

    return make
