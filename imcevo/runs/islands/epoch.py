"""One island for one epoch: what a worker is told, what it does, what it answers. All of it can travel."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.kernels import source_hash
from imcevo.optimise import OptimiserState, optimiser_entry, optimiser_options
from imcevo.optimise.novelty import NoveltyFilter
from imcevo.problem import CodesignProblem, Evaluation, load_problem
from imcevo.runs.files import write_companions
from imcevo.runs.islands.shared_evaluations import MEMORY, News
from imcevo.runs.recorder import layout_of


class Question(NamedTuple):
    """A problem as text, with the hashes that say whether a worker would answer the same."""

    problem_hash: str
    model: str
    text: str
    companions: tuple[tuple[str, str | bytes], ...]

    @classmethod
    def of(cls, problem: CodesignProblem) -> Question:
        companions = tuple(sorted(problem.companion_files().items()))
        return cls(problem.hash, source_hash(), problem.resolved_toml(), companions)


class Island(NamedTuple):
    """An island between two epochs."""

    state: OptimiserState
    emigrants: Evaluation


class Epoch(NamedTuple):
    """What one island is to do.

    Attributes:
        seed: of an island without `state`.
        known: keys of all designs evaluated so far, by any island.
        immigrants: designs to take in first.
        generations, limit: at most so many generations and evaluations.
    """

    question: Question
    optimiser: str
    options: Mapping[str, Any]
    seed: tuple[int, int]
    known: News
    state: OptimiserState | None
    immigrants: Evaluation | None
    n_emigrants: int
    generations: int
    limit: int


class Outcome(NamedTuple):
    """What an island did: its generations one after the other, and itself.

    Attributes:
        sizes: designs of every generation ``[n_generations]``.
        rows: of ``evaluations.bin`` ``[n]``.
        keys: of the designs (`NoveltyFilter.keys`) ``[n]``.
    """

    sizes: tuple[int, ...]
    rows: NDArray[np.void]
    keys: NDArray[np.uint64]
    island: Island


def evolve(epoch: Epoch) -> Outcome | None:
    """Compute one epoch of one island; depends on nothing but `epoch`. None: this worker must be told all of `known`.

    Raises:
        UserError: this worker has another version of the model.
    """
    known = MEMORY.learn(epoch.known)
    if known is None:
        return None
    problem = _problem(epoch.question)
    options = optimiser_options(epoch.optimiser, epoch.options)
    optimiser = optimiser_entry(epoch.optimiser).build(problem, options, seed=epoch.seed)
    if epoch.state is not None:
        optimiser.restore(epoch.state, ())
    optimiser.avoid(known)
    if epoch.immigrants is not None:
        optimiser.immigrate(epoch.immigrants)
    layout = layout_of(problem)
    generations: list[NDArray[np.void]] = []
    left = epoch.limit
    while len(generations) < epoch.generations and left > 0 and len(X := optimiser.ask(left)):
        evaluation = problem.evaluate(X, canonical=True)
        optimiser.tell(evaluation)
        generations.append(layout.rows(*evaluation))
        left -= len(X)
    rows = np.concatenate([np.empty(0, dtype=layout.dtype), *generations])
    return Outcome(
        tuple(map(len, generations)), rows, NoveltyFilter(problem).keys(rows["X"]),
        Island(optimiser.state(), optimiser.emigrants(epoch.n_emigrants)),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _problem(question: Question) -> CodesignProblem:
    """The problem, loaded from copies of its files that exist no longer than that takes."""
    with tempfile.TemporaryDirectory(prefix="imcevo-") as folder:
        write_companions(dict(question.companions), Path(folder))
        file = Path(folder) / "problem.toml"
        file.write_text(question.text, encoding="utf-8")
        problem = load_problem(file)
    if (problem.hash, source_hash()) != (question.problem_hash, question.model):
        raise UserError("a worker has another version of imcevo or of its data than this process")
    return problem
