"""Exhaustive runs: folders, interruption, mistakes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.runs import certify as certification
from imcevo.runs.certify import certify, is_exhaustive, load_certification, resume_certification

PROBLEM = """
name = "small"

[model]
profile = "published"
memory = "sram"

[workloads]
networks = ["resnet18", "alexnet"]

[[objectives]]
metric = "energy_J"
aggregate = "mean"

[[objectives]]
metric = "latency_s"
aggregate = "mean"

[[objectives]]
metric = "area_m2"

[constraints]
area_m2 = 8e-4

[hypervolume]
scale = "log10"
ideal = [1e-4, 1e-9, 1e-6]
reference = [1.0, 1.0, 1e-3]

[design_space]
bits_per_cell = 1
rows = [64, 128, 256]
cols = [32, 64, 128]
macros_per_tile = [2, 8, 16]
tiles_per_group = [2, 8]
router_groups = [1, 6]
glb_depth = [4096, 16384]
node_nm = 32
voltage_V = [0.5, 0.6]
cycle_s = [1e-9, 2e-9]
"""
EXPERIMENT = 'problem = "problem.toml"\n[optimiser]\nname = "exhaustive"\noptima = ["ela", "el"]\nchunk = 40\n'
# These two say when and where; everything else must be the same bytes however the run went.
BY_THE_CLOCK = {"manifest.json", "run.log", ".lock"}


@pytest.fixture
def experiment(tmp_path):
    (tmp_path / "problem.toml").write_text(PROBLEM)
    file = tmp_path / "small.toml"
    file.write_text(EXPERIMENT)
    return file


def files_of(folder):
    contents = {f.name: f.read_bytes() for f in folder.iterdir() if f.name not in BY_THE_CLOCK}
    summary = json.loads(contents["summary.json"])
    assert summary.pop("seconds") > 0
    return {**contents, "summary.json": summary}


def test_a_run_leaves_its_summary_and_its_front(experiment, tmp_path):
    seen = []
    folder = certify(load_certification(experiment), out=tmp_path / "run", progress=seen.append)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["designs"] == 864
    assert summary["evaluated"] == summary["proven"] == 432
    assert summary["feasible"] <= 864
    assert set(summary["best"]) == {"ela", "el"}
    front = pd.read_csv(folder / "front.csv")
    assert len(front) == summary["front"]
    problem = load_problem(folder / "problem.toml")
    best = problem.frame(problem.space.encode(summary["best"]["ela"]["design"])[None, :]).iloc[0]
    energy, latency = (max(best[f"{q}.resnet18"], best[f"{q}.alexnet"]) for q in ("energy_J", "latency_s"))
    assert summary["best"]["ela"]["value"] == pytest.approx(energy * latency * best["area_m2"])
    assert [status.decided for status in seen][-1] == seen[-1].to_decide == 432
    assert "left" in str(seen[0])
    assert resume_certification(folder) is False


@pytest.mark.parametrize("stop_after", [1, 4])
def test_interrupted_and_resumed_gives_the_same_files(experiment, tmp_path, monkeypatch, stop_after):
    monkeypatch.setattr(certification, "CHECKPOINT_EVERY_S", 0.0)
    straight = certify(load_certification(experiment), out=tmp_path / "straight")

    class Stopped(Exception):  # noqa: N818
        pass

    def stop(status):
        if status.decided >= 40 * stop_after:
            raise Stopped

    with pytest.raises(Stopped):
        certify(load_certification(experiment), out=tmp_path / "cut", progress=stop)
    assert not (tmp_path / "cut" / "summary.json").exists()
    assert resume_certification(tmp_path / "cut")
    assert files_of(tmp_path / "cut") == files_of(straight)


def test_killed_and_resumed_gives_the_same_files(experiment, tmp_path):
    straight = certify(load_certification(experiment), out=tmp_path / "straight")
    code = (
        "import time; from pathlib import Path; from imcevo.runs import certify as c; "
        "c.CHECKPOINT_EVERY_S = 0.0; "
        f"c.certify(c.load_certification(Path({str(experiment)!r})), out=Path({str(tmp_path / 'killed')!r}), "
        "progress=lambda status: time.sleep(0.2))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "NUMBA_NUM_THREADS": "1"})
    checkpoint = tmp_path / "killed" / "checkpoint.npz"
    try:
        patience = time.monotonic() + 60
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < patience:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    finally:
        process.wait()
    assert checkpoint.exists()
    assert not (tmp_path / "killed" / "summary.json").exists()
    assert resume_certification(tmp_path / "killed")
    assert files_of(tmp_path / "killed") == files_of(straight)


def test_threads_change_nothing(experiment, tmp_path):
    folders = []
    for threads in (1, 4):
        file = tmp_path / f"threads{threads}.toml"
        file.write_text(f"threads = {threads}\n" + EXPERIMENT)
        folders.append(certify(load_certification(file), out=tmp_path / str(threads)))
    one, four = (files_of(folder) for folder in folders)
    del one["experiment.toml"], four["experiment.toml"]
    assert one == four


def test_a_finished_run_is_not_overwritten(experiment, tmp_path):
    certify(load_certification(experiment), out=tmp_path / "run")
    with pytest.raises(UserError, match="run exists"):
        certify(load_certification(experiment), out=tmp_path / "run")


def test_a_damaged_or_foreign_checkpoint_is_told(experiment, tmp_path, monkeypatch):
    def stop(status):
        raise KeyboardInterrupt

    monkeypatch.setattr(certification, "CHECKPOINT_EVERY_S", 0.0)
    with pytest.raises(KeyboardInterrupt):
        certify(load_certification(experiment), out=tmp_path / "run", progress=stop)
    file = tmp_path / "run" / "checkpoint.npz"
    intact = file.read_bytes()
    for damaged in (b"", b"garbage", intact[:-30]):
        file.write_bytes(damaged)
        with pytest.raises(UserError, match=r"checkpoint\.npz"):
            resume_certification(tmp_path / "run")
    file.unlink()
    assert resume_certification(tmp_path / "run")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["ela", "el"]', '["elaa"]', r"optimiser.optima\[0\].*did you mean 'ela'"),
        ("optima", "optimum", "optimiser.optimum.*did you mean 'optima'"),
        ("chunk = 40", "chunk = 0", "optimiser.chunk"),
        ("chunk = 40", "population = 4", "optimiser.population"),
        ("problem.toml", "missing.toml", "missing.toml: no such file"),
    ],
)
def test_mistakes_are_told_in_one_line(experiment, tmp_path, old, new, message):
    experiment.write_text(EXPERIMENT.replace(old, new))
    with pytest.raises(UserError, match=message) as told:
        certify(load_certification(experiment), out=tmp_path / "run")
    assert "\n" not in str(told.value)


def test_exhaustive_experiments_are_recognised(experiment, tmp_path):
    assert is_exhaustive(experiment)
    other = tmp_path / "other.toml"
    other.write_text('problem = "problem.toml"\n[optimiser]\nname = "nsga2"\n')
    assert not is_exhaustive(other)
    assert not is_exhaustive(Path(__file__).parents[2] / "experiments" / "quickstart.toml")


@pytest.mark.parametrize(
    ("name", "designs"),
    [("rram4", 12_096_000), ("sram4", 1_512_000), ("sram9", 4_064_256), ("sram4_nodes", 15_876_000)],
)
def test_shipped_experiments_cover_the_published_spaces(name, designs):
    file = Path(__file__).parents[2] / "experiments" / f"certify_published_{name}.toml"
    plan = load_certification(file)
    assert load_problem(plan.problem).space.size == designs
    assert {"ela", "ela_mean", "ela_all", "el"} <= set(plan.options.optima)
