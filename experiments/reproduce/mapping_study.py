"""What joint search of hardware and mapping finds that hardware search under the greedy mapping cannot.

``python -m experiments.reproduce.mapping_study --out results/reference/mapping`` from the root of a checkout writes
``searches.csv`` (a row per problem, policy, seed and budget) and ``summary.csv`` (medians and ranges over seeds).
``python -m experiments.reproduce.mapping_figure results/reference/mapping`` tests and draws them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from imcevo.errors import UserError
from imcevo.hardware import LATENCY_WEIGHT
from imcevo.mapping.factors import ON_ARRAYS
from imcevo.mapping.kernel_records import STREAMED
from imcevo.mapping.optimality_gap import energy_latency, least_energy_latency
from imcevo.optimise import ParetoArchive, optimiser_entry, optimiser_options
from imcevo.optimise.archive import Front
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.genome import HARDWARE
from imcevo.runs.files import make_folder, write_atomically
from imcevo.runs.manifest import available_cores

# RRAM resident, SRAM streaming, cell chosen by the search.
PROBLEMS = ("rram_resident4", "sram_streamed4", "quickstart")
# `exact`, begun with what a short search under the greedy mapping finds; its time counts, its designs do not.
EXACT_WITH_HEAD_START = "exact_with_head_start"
_HEAD_START = 5000
POLICIES = ("greedy", "evolved", "exact", EXACT_WITH_HEAD_START)
BUDGETS = ("evaluations", "seconds")
POPULATION = 100
_WARM_UP = 512  # designs
_MOST_REMAPPED = 200  # designs of a front
_WEIGHTS = (1 / 4, 1.0, 4.0)  # of latency


class Job(NamedTuple):
    """One search with so many evaluations, or seconds of one core."""

    problem: Path
    policy: str
    seed: int
    budget: str
    amount: float


class Spent(NamedTuple):
    """What a search has used."""

    evaluations: int
    seconds: float


def searches(jobs: list[Job]) -> Iterator[dict[str, Any]]:
    """A row per job, as they finish."""
    with ProcessPoolExecutor(
        available_cores(), multiprocessing.get_context("spawn"), initializer=numba.set_num_threads, initargs=(1,)
    ) as pool:
        for done in as_completed([pool.submit(search, job) for job in jobs]):
            yield done.result()


def search(job: Job) -> dict[str, Any]:
    """Search until the budget is spent; hypervolume of the front as it is, and re-mapped exactly."""
    head_start = _HEAD_START if job.policy == EXACT_WITH_HEAD_START else 0
    problem = load_problem(job.problem, policy="exact" if head_start else job.policy)
    for other, n in ((load_problem(job.problem, policy="greedy"), _WARM_UP), (problem, 2)):
        other.evaluate(other.sample(n, np.random.default_rng(0)))  # compiles, fills the table of compute-SNR
    front, spent = _searched(problem, job, head_start)
    return {
        "problem": job.problem.stem, "policy": job.policy, "seed": job.seed, "budget": job.budget,
        "evaluations": spent.evaluations, "seconds": spent.seconds,
        "hypervolume": problem.box.hypervolume(front.F),
        "hypervolume_remapped": problem.box.hypervolume(np.concatenate([front.F, _remapped(problem, front, job)])),
        "gap_to_exact": _gap(problem, front.X, front.F),
    }  # fmt: skip


def _searched(problem: CodesignProblem, job: Job, head_start: int) -> tuple[Front, Spent]:
    """The front found with the job's budget, and what it took."""
    started, evaluations = time.perf_counter(), 0
    options = optimiser_options("nsga2", {"population": POPULATION, "head_start": head_start})
    optimiser = optimiser_entry("nsga2").build(problem, options, seed=job.seed)
    archive = ParetoArchive(problem.n_var, problem.n_obj)
    while True:
        spent = Spent(evaluations, time.perf_counter() - started)
        X = optimiser.ask() if getattr(spent, job.budget) < job.amount else ()
        if len(X) == 0:
            return archive.front(), spent
        evaluation = problem.evaluate(X, canonical=True)
        optimiser.tell(evaluation)
        archive.add(*evaluation)
        evaluations += len(X)


def _remapped(problem: CodesignProblem, front: Front, job: Job) -> NDArray[np.float64]:
    """Objectives of feasible designs of the same hardware under the exact mapper ``[n, n_obj]``."""
    if len(front.X) == 0:
        return front.F
    exact = load_problem(job.problem, policy="exact")
    hardware = np.unique(front.thinned(_MOST_REMAPPED)[:, problem.genome.place(HARDWARE)], axis=0)
    designs = exact.decode(np.repeat(hardware, len(_WEIGHTS), axis=0))
    designs = designs.replace(**{LATENCY_WEIGHT: np.tile(_WEIGHTS, len(hardware))})
    metrics = exact.simulator.simulate(designs, snr=exact.needs_snr)
    return exact.objective_values(metrics)[(exact.violations(metrics) <= 0).all(axis=1)]


def _gap(problem: CodesignProblem, X: NDArray[np.int64], F: NDArray[np.float64]) -> float:
    """Median over layers of energy x latency over its least, minus 1, of the design of best energy x latency.

    NaN where weights stay on chip.
    """
    stages = problem.simulator.stages
    assert stages is not None
    if len(X) == 0:
        return np.nan
    designs = problem.decode(X[[int(np.argmin(F[:, 0] * F[:, 1]))]])
    costs, geometry = stages.unit_costs(designs), stages.geometry(designs)
    if geometry["deployment"][0] != STREAMED:
        return np.nan
    mapping = stages.map(designs, geometry, costs)
    on_arrays = mapping.factors["unit"][0] == ON_ARRAYS
    layers, prices = stages.suite.layers[on_arrays], stages.prices(costs)
    reached = energy_latency(layers, geometry, prices, mapping._replace(factors=mapping.factors[:, on_arrays]))
    return float(np.median(reached / least_energy_latency(layers, geometry, prices))) - 1.0


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Median, least and largest over seeds of every figure, a row per problem, budget and policy."""
    figures = [name for name in rows.columns if name not in ("problem", "policy", "seed", "budget")]
    table = rows.groupby(["problem", "budget", "policy"], sort=False)[figures].agg(["median", "min", "max"])
    table.columns = table.columns.map("_".join)
    return table.reset_index()


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m experiments.reproduce.mapping_study", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the tables")
    parser.add_argument("--problems", type=Path, default=Path("problems"), metavar="DIR", help="their problem files")
    parser.add_argument("--only", choices=PROBLEMS, help="one of the problems")
    parser.add_argument("--policy", choices=POLICIES, help="one of the policies")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of every search")
    parser.add_argument("--first-seed", type=int, default=201, help="the others follow")
    parser.add_argument("--evaluations", type=int, default=1000, help="designs for equal evaluations")
    parser.add_argument("--seconds", type=float, default=10.0, help="of one core for equal time")
    given = parser.parse_args()
    try:
        for option in ("seeds", "evaluations", "seconds"):
            if not getattr(given, option) > 0:
                raise UserError("is out of range", key=f"--{option}", value=getattr(given, option), allowed="above 0")
        make_folder(given.out)
        files = [given.problems / f"{name}.toml" for name in ([given.only] if given.only else PROBLEMS)]
        for file in files:
            load_problem(file)  # mistakes in the files show before the pool starts
        jobs = [
            Job(file, policy, seed, budget, getattr(given, budget))
            for file in files
            for budget in BUDGETS
            for policy in ([given.policy] if given.policy else POLICIES)
            for seed in range(given.first_seed, given.first_seed + given.seeds)
        ]  # fmt: skip
        rows: list[dict[str, Any]] = []
        rank = {name: place for place, name in enumerate((*PROBLEMS, *BUDGETS, *POLICIES))}
        for row in searches(jobs):
            rows.append(row)
            told = ", ".join(str(row[name]) for name in ("problem", "policy", "budget", "seed"))
            print(f"{len(rows)} of {len(jobs)}: {told}", flush=True)
            # Written after every search: an interrupted study keeps what it has.
            rows.sort(key=lambda r: (rank[r["problem"]], rank[r["budget"]], rank[r["policy"]], r["seed"]))
            table = pd.DataFrame(rows)
            for name, part in (("searches.csv", table), ("summary.csv", summary(table))):
                write_atomically(given.out / name, part.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
