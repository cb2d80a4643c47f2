"""The short form of `python -m tests.tools.fuzz`."""

from __future__ import annotations

import numpy as np

from tests.tools.fuzz import fuzz_configs, fuzz_folders


def test_mutated_configs_end_with_one_line_or_a_result() -> None:
    assert fuzz_configs(60, np.random.default_rng(11)) == []


def test_a_mutated_config_by_the_command_too() -> None:
    assert fuzz_configs(2, np.random.default_rng(12), by_command=True) == []


def test_mutated_run_folders_end_with_one_line_or_a_result() -> None:
    assert fuzz_folders(30, np.random.default_rng(13)) == []
