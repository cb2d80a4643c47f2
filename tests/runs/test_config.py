from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from imcevo.errors import UserError
from imcevo.runs import Experiment, load_experiment


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("problem =", "probelm =", r"probelm: unknown key; did you mean 'problem'"),
        ("seeds = [1]", "seeds = []", r"seeds"),
        ("seeds = [1]", "seeds = [1, 1]", r"seeds\[1\]: 1 is listed twice"),
        ("seeds = [1]", "seeds = [-1]", r"seeds\[0\]: -1 is out of range"),
        ("seeds = [1]", 'seeds = ["one"]', r"seeds\[0\]: got 'one'"),
        ("threads = 1", "threads = -2", r"threads: got -2"),
        ("threads = 1", 'baselines = ["randm"]', r"baselines\[0\]: 'randm' .* did you mean 'random'"),
        ("threads = 1", 'baselines = ["nsga2"]', r"baselines\[0\]: 'nsga2' runs already"),
        ('"nsga2"', '"nsga-2"', r"optimiser\.name: 'nsga-2' .* did you mean 'nsga2'"),
        ('name = "nsga2"', "", r"optimiser\.name: this key is missing"),
        ("population = 24", "population = 0", r"optimiser\.population: got 0"),
        ("population = 24", "population = nan", r"optimiser\.population: nan is not a finite number"),
        ("population = 24", "poplation = 24", r"optimiser\.poplation: unknown key; did you mean 'population'"),
        ("evaluations = 400", "evaluations = 0", r"budget\.evaluations: got 0"),
        ("[budget]", "[budgt]", r"budgt: unknown key; did you mean 'budget'"),
    ],
)
def test_mistakes_name_file_key_and_value(
    experiment: Callable[..., Experiment], tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as error:
        experiment((old, new))
    assert str(error.value).startswith(str(tmp_path / "search.toml"))
    assert "\n" not in str(error.value)


def test_resolved_experiment_reads_back_as_the_same(
    experiment: Callable[..., Experiment], tmp_path: Path
) -> None:
    plan = experiment(("seeds = [1]", 'seeds = [3, 5]\nbaselines = ["random"]'))
    again = tmp_path / "again.toml"
    again.write_text(plan.resolved_toml())
    read = load_experiment(again)
    assert [(r.optimiser, r.options, r.seed, r.folder) for r in read.runs()] == [
        (r.optimiser, r.options, r.seed, r.folder) for r in plan.runs()
    ]
    assert (read.evaluations, read.threads) == (plan.evaluations, plan.threads)
    assert read.problem == tmp_path / "problem.toml"


def test_every_run_of_an_experiment_has_its_own_folder(experiment: Callable[..., Experiment]) -> None:
    plan = experiment(("seeds = [1]", 'seeds = [3, 5]\nbaselines = ["random"]'))
    assert [run.folder for run in plan.runs()] == ["3", "5", "random/3", "random/5"]
    assert all(run.options.model_dump()["population"] == 24 for run in plan.runs())


def test_seed_of_the_command_line_replaces_the_files(
    experiment: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment()
    assert load_experiment(tmp_path / "search.toml", seeds=[9]).seeds == (9,)
    with pytest.raises(UserError, match="--seed"):
        load_experiment(tmp_path / "search.toml", seeds=[-9])
