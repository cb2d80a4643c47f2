"""Extending the budget of a run: the files become those of a run that had it from the start."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from imcevo.cli import main
from imcevo.errors import UserError
from imcevo.runs import Experiment, resume_run, run_experiment
from tests.runs.small import contents
from tests.runs.test_launch import KilledError, interrupted, kill_at

Make = Callable[..., Experiment]
LONGER = ("evaluations = 400", "evaluations = 700")


@pytest.fixture
def straight(experiment: Make, tmp_path: Path) -> Path:
    """A finished run of 700 evaluations."""
    return run_experiment(experiment(LONGER), out=tmp_path / "straight")


@pytest.mark.parametrize("optimiser", ["nsga2", "nsga3", "random"])
def test_an_extended_run_is_as_if_it_had_the_budget_from_the_start(
    experiment: Make, tmp_path: Path, optimiser: str
) -> None:
    named = ('"nsga2"', f'"{optimiser}"')
    straight = run_experiment(experiment(LONGER, named), out=tmp_path / "straight")
    folder = run_experiment(experiment(named), out=tmp_path / "run")  # 400 are not a multiple of the population
    assert resume_run(folder, evaluations=700)
    assert contents(folder) == contents(straight)
    assert json.loads((folder / "manifest.json").read_text())["evaluations"] == 700
    assert not resume_run(folder)


def test_an_extension_can_be_killed_anywhere(
    experiment: Make, straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imcevo.runs.search_loop.SearchLoop.checkpoint_every_s", 0.0)
    calls = [0]
    fatal = [0]
    for patched in ("replace", "truncate", "unlink"):
        original = getattr(os, patched)

        def deadly(*args: object, original: Callable[..., object] = original, **kwargs: object) -> object:
            calls[0] += 1
            if calls[0] == fatal[0]:
                raise KilledError
            return original(*args, **kwargs)

        monkeypatch.setattr(os, patched, deadly)
    for fatal[0] in range(1, 9):
        calls[0] = 10**9
        folder = run_experiment(experiment(), out=tmp_path / f"killed at {fatal[0]}")
        calls[0] = 0
        with contextlib.suppress(KilledError):
            resume_run(folder, evaluations=700)
        calls[0] = 10**9
        resume_run(folder)
        with contextlib.suppress(UserError):  # the new budget was written, or was not yet
            resume_run(folder, evaluations=700)
        assert contents(folder) == contents(straight)


def test_an_unfinished_run_and_several_runs_are_extended_too(
    experiment: Make, straight: Path, tmp_path: Path
) -> None:
    folder = interrupted(experiment(), tmp_path / "stopped", 5)
    with pytest.raises(KilledError):
        resume_run(folder, evaluations=700, progress=kill_at(20))
    assert resume_run(folder)
    assert contents(folder) == contents(straight)
    several = interrupted(experiment(("seeds = [1]", "seeds = [1, 2]")), tmp_path / "several", 12)
    assert resume_run(several, evaluations=700)
    assert contents(several / "1") == contents(straight)
    assert not resume_run(several)


def test_a_budget_that_is_not_larger_is_refused(
    experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_experiment(experiment(), out=tmp_path / "run")
    before = contents(folder)
    for evaluations in ("400", "1", "-3", str(10**12)):
        assert main(["resume", str(folder), "--evaluations", evaluations]) == 2
        assert "--evaluations" in capsys.readouterr().err
    assert contents(folder) == before
