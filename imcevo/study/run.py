"""A study: all its searches, and the tables that need the simulator.

`imcevo.analysis.study.folder` makes the others.
"""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from imcevo.config import read_text
from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.profiles import read_problem_config
from imcevo.runs.files import LOCK, locked, make_folder, os_errors_told, write_atomically
from imcevo.runs.manifest import available_cores, new_manifest, now
from imcevo.study.certified import certified_tables, certified_tasks
from imcevo.study.config import Candidate, Study
from imcevo.study.measure import (
    answers_of,
    breakdown_table,
    designs_table,
    fronts_table,
    median_answer,
    metrics_table,
    networks_table,
    objectives_table,
)
from imcevo.study.placement import placement_table
from imcevo.study.questions import network_facts, question_of, stage_genes
from imcevo.study.run_store import RunStore
from imcevo.study.searches import FRONT, Answer, Progress, answer_all, search_of, searches
from imcevo.study.sensitivity import sensitivity_table

STUDY, MANIFEST = "study.toml", "study.json"
DEFAULT_FOLDER = Path("results") / "studies"
SHARED_RUNS = Path("results") / "runs" / "by_content"
RUNS = "runs"
MEASURED = (
    "networks", "designs", "metrics", "objectives", "breakdown", "fronts", "placement", "sensitivity", "certified",
    "certified_searches",
)  # fmt: skip


def conduct(
    study: Study, *, out: Path | None = None, from_runs: Path | None = None, progress: Progress | None = None
) -> Path:
    """Search what is missing, evaluate every design on every network, write the tables.

    Run folders are in ``results/runs/by_content``, shared by all studies, or, with `out`, in ``<out>/runs``. Killed at
    any time, the same call goes on where it was.

    Args:
        out: folder of the study; ``results/studies/<study>`` if None.
        from_runs: take every run from here (or from ``runs`` in it) and make none.

    Returns:
        The study's folder, with ``designs.csv metrics.csv objectives.csv networks.csv breakdown.csv``, those of
        ``fronts.csv placement.csv sensitivity.csv certified.csv certified_searches.csv`` that the study asks for,
        ``study.toml`` and ``study.json``.

    Raises:
        UserError: a mistake in the study or its problems; a folder that is something else; a missing run.
    """
    folder = out or DEFAULT_FOLDER / study.name
    store = _store(folder, out, from_runs)
    problem = load_problem(study.problem)
    facts = network_facts(problem)
    candidates = study.candidates(facts)
    check_study(study, problem, candidates)
    certified = certified_tasks(study)
    _require_study_folder(folder)
    make_folder(folder)
    with locked(folder):
        started, clock = now(), time.monotonic()
        write_atomically(folder / STUDY, read_text(study.file, what="a study file"))
        search = search_of(study.config.optimiser, study.config.budget.evaluations)
        tasks = searches(study.problem, study.config.choice.metric, candidates, search, study.config.seeds)
        workers = study.config.workers or available_cores()
        # Exhaustive runs take longest: first, so that no process ends up alone with one.
        answers = answer_all([*certified, *tasks], store, workers=workers, progress=progress)
        own = answers[len(certified) :]
        chosen, fronts = [a for a in own if a.design is not None], [a for a in own if a.task.kind == FRONT]
        tables = {
            "networks": networks_table(facts),
            "designs": designs_table(problem, chosen),
            "metrics": metrics_table(problem, chosen),
            "objectives": objectives_table(problem, chosen),
            "breakdown": breakdown_table(problem, chosen),
        }
        if fronts:
            found = [store.front(a.runs[0]) for a in fronts]
            tables["fronts"] = fronts_table(fronts, problem.objective_names, found)
        if len(problem.simulator.tile_kinds) > 1:
            tables["placement"] = placement_table(problem, own, store)
        if study.config.sensitivity is not None:
            tables["sensitivity"] = _sensitivity(study, problem, candidates[0], chosen)
        if certified:
            optima, held = certified_tables(study, answers[: len(certified)])
            tables |= {"certified": optima, "certified_searches": held}
        for name, table in tables.items():
            write_table(folder, name, table)
        remove_others(folder, MEASURED, tables)
        seconds = round(time.monotonic() - clock, 1)
        _write_manifest(folder, study, problem, {"started": started, "seconds": seconds, "workers": workers})
    return folder


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """``<name>.csv`` in full precision: equal tables are equal bytes."""
    write_atomically(folder / f"{name}.csv", table.to_csv(index=False, lineterminator="\n"))


def remove_others(folder: Path, names: Iterable[str], kept: Container[str]) -> None:
    """Tables of an earlier version of the study are not left beside those of this one."""
    for name in names:
        if name not in kept:
            with os_errors_told(folder, "be written"):
                (folder / f"{name}.csv").unlink(missing_ok=True)


def _store(folder: Path, out: Path | None, from_runs: Path | None) -> RunStore:
    if from_runs is None:
        return RunStore(SHARED_RUNS if out is None else folder / RUNS)
    if not from_runs.is_dir():
        raise UserError("is not a folder", key="--from-runs", value=str(from_runs))
    inside = from_runs / RUNS
    return RunStore(inside if inside.is_dir() else from_runs, searching=False)


def check_study(study: Study, problem: CodesignProblem, candidates: Sequence[Candidate]) -> None:
    """Check that every question of a study can be asked, before the first is.

    Raises:
        UserError: the first that cannot, with its place in the study file.
    """
    if problem.n_var != len(problem.space.genes):
        raise UserError(
            "has variables beside the hardware; a study compares hardware under one mapping policy",
            file=study.problem, key="mapping.policy", allowed="greedy, exact",
        )  # fmt: skip
    for mix, (shares, _) in study.config.all_mixes().items():
        if set(shares) != set(problem.networks):
            allowed = f"a share for each of {', '.join(problem.networks)}"
            raise UserError("does not fit the suite", file=study.file, key="mixes", value=mix, allowed=allowed)
    for candidate in candidates:
        try:
            question = question_of(problem, candidate, study.config.choice.metric)
            if candidate.stages:
                stage_genes(question, candidate.stages)
        except UserError as error:
            key = f"designs[{candidate.position}]" + (f".{error.key}" if error.key else "")
            raise UserError(
                error.problem, file=study.file, key=key, allowed=error.allowed,
                **({} if error.value is None else {"value": error.value}),
            ) from None  # fmt: skip


def _sensitivity(
    study: Study, problem: CodesignProblem, first: Candidate, answers: list[Answer]
) -> pd.DataFrame:
    assert study.config.sensitivity is not None
    design = median_answer(answers_of(answers, first.name)).design
    assert design is not None
    question = question_of(problem, first, study.config.choice.metric)
    return sensitivity_table(question, design.values, study.config.sensitivity.factor)


def _require_study_folder(folder: Path) -> None:
    with os_errors_told(folder, "be read"):
        if not folder.exists():
            return
        if not folder.is_dir():
            raise UserError("is a file, expected a folder for the study", file=folder)
        names = {entry.name for entry in folder.iterdir()} - {LOCK, RUNS}
    if names and STUDY not in names:
        raise UserError("holds something else", file=folder, value=sorted(names)[0], allowed="a new or empty folder")


def _write_manifest(folder: Path, study: Study, problem: CodesignProblem, work: dict[str, Any]) -> None:
    made_with = new_manifest(
        problem=problem.name, problem_hash=problem.hash, optimiser=str(study.config.optimiser["name"]),
        search="study", seed=0,
    ).model_dump()
    kept = (
        "imcevo", "model", "problem", "problem_hash", "optimiser", "python", "packages", "git_revision", "cpu", "cores",
    )  # fmt: skip
    box = problem.box
    content = {
        "format": 1, "study": study.name, "profile": read_problem_config(study.problem).model.profile,
        **{key: made_with[key] for key in kept}, **work,
        "hypervolume": {"ideal": box.ideal.tolist(), "reference": box.reference.tolist(), "log10": box.log10},
    }  # fmt: skip
    write_atomically(folder / MANIFEST, json.dumps(content, indent=2) + "\n")
