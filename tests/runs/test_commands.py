"""run, resume, front and plot through the command line; a real kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from imcevo.cli import main
from imcevo.runs import Experiment, load_experiment, run_experiment
from tests.runs.small import contents

Make = Callable[..., Experiment]
COMMAND = (sys.executable, "-c", "import sys; from imcevo.cli import main; sys.exit(main())")


def test_run_prints_its_folder_last_and_front_lists_it(
    experiment: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment()
    monkeypatch.chdir(tmp_path)
    assert main(["run", "search.toml"]) == 0
    out, err = capsys.readouterr()
    folder = Path(out.splitlines()[-1])
    assert folder == Path("results/runs/search/1")
    assert "hypervolume" in err
    assert "knee" in out
    for name in ("front.png", "front.svg", "breakdown.png", "hypervolume.png", "manifest.json", "timing.csv"):
        assert (folder / name).stat().st_size > 0

    assert main(["front", str(folder), "--csv"]) == 0
    assert capsys.readouterr().out == (folder / "front.csv").read_text()
    assert main(["front", str(folder), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed["front"]) == len(pd.read_csv(folder / "front.csv"))
    assert listed["remarkable"]["knee"] in [design["design"] for design in listed["front"]]
    assert main(["front", str(folder), "--all"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 401
    assert main(["front", str(folder), "--rows", "3"]) == 0
    assert "lowest area" in capsys.readouterr().out
    assert main(["front", str(folder), "--json", "--all"]) == 2

    (folder / "front.png").unlink()
    assert main(["plot", str(folder)]) == 0
    assert (folder / "front.png").exists()

    assert main(["run", "search.toml"]) == 2
    assert "imcevo resume results/runs/search/1" in capsys.readouterr().err
    assert main(["resume", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder)


def test_quiet_prints_the_folder_alone(
    experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment()
    folder = tmp_path / "a run"
    arguments = ["run", str(tmp_path / "search.toml"), "--seed", "7", "--out", str(folder), "--quiet"]
    assert main(arguments) == 0
    assert capsys.readouterr() == (f"{folder}\n", "")
    assert json.loads((folder / "manifest.json").read_text())["seed"] == 7


def test_several_runs_are_compared(experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    experiment(("seeds = [1]", 'seeds = [1, 2]\nbaselines = ["random"]'), ("= 400", "= 100"))
    folder = tmp_path / "several"
    assert main(["run", str(tmp_path / "search.toml"), "--out", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(folder)
    assert pd.read_csv(folder / "comparison.csv")["optimiser"].tolist() == ["nsga2", "random"]
    assert (folder / "hypervolume.png").exists()
    assert (folder / "random" / "2" / "front.csv").exists()


def test_an_infeasible_search_says_why(
    experiment: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(("= 400", "= 100"), constraints={"area_m2": 1e-30})
    assert main(["run", str(tmp_path / "search.toml"), "--out", str(tmp_path / "none")]) == 0
    out = capsys.readouterr().out
    assert "None of 100 designs is feasible" in out
    assert "area_m2" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nowhere.toml"], "nowhere.toml: no such file"),
        (["run", "."], ".: is a directory"),
        (["run", "search.toml", "--seed", "-1"], "--seed: -1 is out of range"),
        (["run", "search.toml", "--out", "search.toml"], "search.toml: is a file"),
        (["run", "search.toml", "--out", "/proc/1/nowhere"], "/proc/1/nowhere"),
        (["resume", "nowhere"], "nowhere: no such run folder"),
        (["front", "search.toml"], "search.toml: is not a folder"),
        (["plot", "."], "it has no manifest.json"),
    ],
)
def test_mistakes_end_with_code_2_and_one_line(
    experiment: Make,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    experiment()
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("imcevo: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_kill_9_and_resume_gives_the_same_bytes(tmp_path: Path) -> None:
    """The shipped problem and simulator, the killed run in a process of its own."""
    problem = Path(__file__).parents[2] / "problems" / "quickstart.toml"
    (tmp_path / "search.toml").write_text(
        f"problem = {json.dumps(str(problem))}\nseeds = [3]\n"
        '[optimiser]\nname = "nsga2"\npopulation = 50\n[budget]\nevaluations = 1500\n'
    )
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    process = subprocess.Popen(
        [*COMMAND, "run", "search.toml", "--out", str(killed), "--quiet"], cwd=tmp_path, start_new_session=True
    )
    deadline = time.monotonic() + 120
    log = killed / "evaluations.bin"
    while not (log.exists() and log.stat().st_size > 20_000):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline, "the run did not get going"
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "front.csv").exists()
    assert main(["resume", str(killed), "--quiet"]) == 0
    run_experiment(load_experiment(tmp_path / "search.toml"), out=straight)
    assert contents(killed) == contents(straight)
    assert len(json.loads((killed / "manifest.json").read_text())["work"]) == 1
