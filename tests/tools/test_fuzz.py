"""The short form of `python -m tests.tools.fuzz`."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tools.fuzz import fuzz_configs, fuzz_folders, side_by_side


def test_mutated_configs_end_with_one_line_or_a_result() -> None:
    assert fuzz_configs(60, np.random.default_rng(11)) == []


def test_a_mutated_config_by_the_command_too() -> None:
    assert fuzz_configs(2, np.random.default_rng(12), by_command=True) == []


def test_mutated_run_folders_end_with_one_line_or_a_result() -> None:
    assert fuzz_folders(30, np.random.default_rng(13)) == []


def test_several_processes_share_the_work(capfd: pytest.CaptureFixture[str]) -> None:
    assert side_by_side(3, 0, 0, seed=14, jobs=2) == 0
    out = capfd.readouterr().out
    assert "2 configs in process: 0 wrong" in out
    assert "1 configs in process: 0 wrong" in out
