"""The runs of a study: kept by content, so that no search is ever made twice, in this study or another."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from imcevo.errors import UserError
from imcevo.hardware import Value, table_of
from imcevo.kernels import source_hash
from imcevo.optimise import optimiser_options
from imcevo.problem import CodesignProblem
from imcevo.problem.designs import complete_design
from imcevo.problem.toml_text import to_toml
from imcevo.runs.certify import NAME as EXHAUSTIVE
from imcevo.runs.certify import resume_certification
from imcevo.runs.evaluations import read_blocks
from imcevo.runs.files import make_folder, os_errors_told
from imcevo.runs.launch import EXPERIMENT, PROBLEM, prepare, resume_run
from imcevo.runs.manifest import FILE as MANIFEST
from imcevo.runs.manifest import load_manifest
from imcevo.runs.results import FRONT
from imcevo.runs.search_loop import EVALUATIONS

_WAITING_LOCK = "study.lock"


class Search(NamedTuple):
    """How a question is answered: an optimiser with its options and a budget, or exhaustively (no seed, no budget)."""

    optimiser: str
    options: Mapping[str, Any]
    evaluations: int = 0
    seed: int = 0

    def experiment_toml(self) -> str:
        """The experiment file of the run."""
        if self.optimiser == EXHAUSTIVE:
            return to_toml({"problem": PROBLEM, "threads": 1, "optimiser": {"name": EXHAUSTIVE}})
        return to_toml({
            "problem": PROBLEM, "seeds": [self.seed], "threads": 1,
            "optimiser": {"name": self.optimiser, **self._all_options()},
            "budget": {"evaluations": self.evaluations},
        })  # fmt: skip

    def content(self) -> dict[str, Any]:
        """What decides the result, beside the question and the model."""
        options = {} if self.optimiser == EXHAUSTIVE else self._all_options()
        return {**self._asdict(), "options": options}

    def _all_options(self) -> dict[str, Any]:
        return optimiser_options(self.optimiser, self.options).model_dump()


class Design(NamedTuple):
    """What a run found.

    Attributes:
        values: of every hardware parameter, repaired.
        objective: the one that it was chosen by.
        feasible: meets the constraints of its question.
        evaluations: distinct designs that the run evaluated.
    """

    values: dict[str, Value]
    objective: float
    feasible: bool
    evaluations: int


class RunStore:
    """Run folders named by what determines their result: question, search, version of the model.

    Args:
        folder: where they are.
        searching: make what is missing; otherwise a missing or unfinished run is a mistake.
    """

    def __init__(self, folder: Path, *, searching: bool = True) -> None:
        self.folder, self.searching = folder, searching

    def key(self, question: CodesignProblem, search: Search) -> str:
        """Name of the run's folder."""
        content = {"problem": question.hash, "search": search.content(), "model": source_hash()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    def finished(self, key: str) -> bool:
        """Whether the run is there, complete."""
        folder = self.folder / key
        return (folder / MANIFEST).exists() and load_manifest(folder).status == "finished"

    def run(self, question: CodesignProblem, search: Search) -> str:
        """See to it that a run is there, made now or before, in part or wholly; returns its key.

        Raises:
            UserError: it is missing and must not be made; its folder is damaged or cannot be written.
        """
        key = self.key(question, search)
        if self.finished(key):
            return key
        folder = self.folder / key
        if not self.searching:
            raise UserError(
                "holds no finished run of this study (other seeds, budget, problem or version of the model?)",
                file=self.folder, value=key,
            )  # fmt: skip
        make_folder(folder)
        # Two studies, or two designs of one, may need the same run at the same time.
        with _waiting(folder / _WAITING_LOCK):
            if not self.finished(key):
                if not (folder / EXPERIMENT).exists():
                    prepare(folder, question, search.experiment_toml())
                if search.optimiser == EXHAUSTIVE:
                    resume_certification(folder)
                else:
                    resume_run(folder)
        return key

    def front(self, key: str) -> pd.DataFrame:
        """``front.csv`` of a run."""
        path = self.folder / key / FRONT
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise UserError(f"cannot be read: {error}", file=path) from None

    def best(self, key: str, question: CodesignProblem) -> Design:
        """The design of a run with one objective: its optimum, or what misses the constraints least.

        Of equals, the first that was evaluated.

        Raises:
            UserError: damaged files, or an exhaustive run without a feasible design.
        """
        evaluations = load_manifest(self.folder / key).evaluations
        front = self.front(key)
        if len(front):
            first = front.iloc[0]
            values = complete_design(question, {gene: first[gene] for gene in question.space.genes})[0]
            used = question.simulator.repair(table_of([values])).design(0)
            return Design(used, float(first[question.objective_names[0]]), True, evaluations)
        path = self.folder / key / EVALUATIONS
        if not path.exists():
            raise UserError("no design of the whole space is feasible", file=self.folder / key)
        missed, X, F = float("inf"), np.empty(0, dtype=np.int64), float("nan")
        for block in read_blocks(path):
            sums = np.maximum(block.G, 0.0).sum(axis=1)
            row = int(sums.argmin())
            if sums[row] < missed:
                missed, X, F = float(sums[row]), block.X[row].astype(np.int64), float(block.F[row, 0])
        return Design(question.decode(X[None, :]).design(0), F, False, evaluations)


@contextmanager
def _waiting(path: Path) -> Iterator[None]:
    """Hold a lock file, waiting for whoever has it; the lock dies with its holder."""
    with os_errors_told(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
