"""All searches of a study, over processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple

import numba

from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.study.config import Candidate
from imcevo.study.questions import asked_of, front_question, question_of, stage_genes, start_values
from imcevo.study.run_store import Design, RunStore, Search

CHOICE, FRONT = "choice", "front"
_MOST_DEATHS = 3


class Task(NamedTuple):
    """One answer that a study needs.

    Attributes:
        problem: problem file.
        metric: that designs are chosen by.
        kind: `CHOICE`, or `FRONT` for the problem's own objectives.
    """

    problem: Path
    metric: str
    candidate: Candidate
    search: Search
    kind: str = CHOICE


class Answer(NamedTuple):
    """What a task came to: keys of its runs (a stage each in sequential design), and the design for `CHOICE`."""

    task: Task
    runs: tuple[str, ...]
    design: Design | None


Progress = Callable[[int, int, str], None]


def answer(task: Task, store: RunStore) -> Answer:
    """Carry a task out, or read what an earlier study left of it."""
    problem, candidate = load_problem(task.problem), task.candidate
    if task.kind == FRONT:
        return Answer(task, (store.run(front_question(problem, candidate), task.search),), None)
    question = question_of(problem, candidate, task.metric)
    if candidate.stages:
        return _staged(task, question, store)
    key = store.run(question, task.search)
    return Answer(task, (key,), store.best(key, question))


def _staged(task: Task, question: CodesignProblem, store: RunStore) -> Answer:
    """Stage by stage: a stage's genes are free, those before it are frozen, those after it stand at the start."""
    candidate, search = task.candidate, task.search
    stages = stage_genes(question, candidate.stages)
    values = start_values(question, candidate.start)
    share = search._replace(evaluations=max(1, search.evaluations // len(stages)))
    keys, evaluations = [], 0
    for genes in stages:
        free = {gene: list(question.space.values[gene]) for gene in genes}
        stage = asked_of(
            question, candidate.networks, shares=candidate.shares, design_space={**values, **free}
        )
        keys.append(store.run(stage, share))
        design = store.best(keys[-1], stage)
        evaluations += design.evaluations
        values |= {gene: design.values[gene] for gene in genes}
    return Answer(task, tuple(keys), design._replace(evaluations=evaluations))


def answer_all(
    tasks: Sequence[Task], store: RunStore, *, workers: int, progress: Progress | None = None
) -> list[Answer]:
    """All tasks, in their order, whatever the number of processes; what is killed is taken up by the next call.

    Raises:
        UserError: as `answer`; or worker processes die again and again.
    """
    said = progress or (lambda done, of, what: None)
    if workers == 1 or not store.searching:
        found = []
        for position, task in enumerate(tasks):
            said(position, len(tasks), _told(task))
            found.append(answer(task, store))
        said(len(tasks), len(tasks), "")
        return found
    answers: dict[int, Answer] = {}
    deaths = 0
    while len(answers) < len(tasks):
        try:
            _pooled(tasks, store, workers, answers, said)
        except BrokenProcessPool:
            deaths += 1
            if deaths > _MOST_DEATHS:
                raise UserError(
                    f"{deaths} times a worker process died; the runs can be continued with the same command",
                    key="workers", value=workers, allowed="fewer workers, if memory ran out",
                ) from None  # fmt: skip
    return [answers[position] for position in range(len(tasks))]


def _pooled(
    tasks: Sequence[Task], store: RunStore, workers: int, answers: dict[int, Answer], said: Progress
) -> None:
    pending = [position for position in range(len(tasks)) if position not in answers]
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(workers, len(pending)), context, initializer=numba.set_num_threads, initargs=(1,)
    )
    try:
        futures = {pool.submit(answer, tasks[position], store): position for position in pending}
        said(len(answers), len(tasks), "")
        for future in as_completed(futures):
            position = futures[future]
            answers[position] = future.result()
            said(len(answers), len(tasks), _told(tasks[position]))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _told(task: Task) -> str:
    what = task.candidate.name if task.kind == CHOICE else f"{task.candidate.name}, front"
    return f"{what}, seed {task.search.seed}" if task.search.evaluations else f"{what}, certified"


def searches(
    problem: Path, metric: str, candidates: Sequence[Candidate], search: Search, seeds: Sequence[int]
) -> list[Task]:
    """A task per candidate and seed, and one more for its front where that is wanted."""
    kinds: Mapping[bool, tuple[str, ...]] = {True: (CHOICE, FRONT), False: (CHOICE,)}
    return [
        Task(problem, metric, candidate, search._replace(seed=seed), kind)
        for candidate in candidates
        for kind in kinds[candidate.front]
        for seed in seeds
    ]


def search_of(optimiser: Mapping[str, Any], evaluations: int) -> Search:
    """From the ``[optimiser]`` of a study file."""
    options = dict(optimiser)
    return Search(str(options.pop("name")), options, evaluations)
