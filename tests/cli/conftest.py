from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imcevo.cli import main
from imcevo.problem.toml_text import to_toml
from tests.problem.configs import CONFIG, DESIGN
from tests.problem.fakes import FakeSimulator

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process, on the fake simulator: exit code, stdout, stderr."""
    monkeypatch.setattr(
        "imcevo.problem.profiles.physical_simulator",
        lambda networks, *rest, **more: FakeSimulator([network.name for network in networks]),
    )

    def run(*argv: object) -> tuple[int, str, str]:
        code = main([str(part) for part in argv])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Write a problem and a design file, changed at paths such as ``"design_space/rows"``."""

    def files(
        changes: dict[str, Any] | None = None, design: dict[str, Any] | None = None
    ) -> tuple[Path, Path]:
        config = copy.deepcopy(CONFIG)
        for path, value in (changes or {}).items():
            *parents, last = path.split("/")
            place = config
            for part in parents:
                place = place[part]
            place[last] = value
        problem_file, design_file = tmp_path / "problem.toml", tmp_path / "design.toml"
        problem_file.write_text(to_toml(config))
        design_file.write_text(to_toml({**DESIGN, **(design or {})}))
        return problem_file, design_file

    return files
