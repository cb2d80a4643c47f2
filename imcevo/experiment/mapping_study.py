"""What joint search of hardware and mapping finds that hardware search under the greedy mapping cannot.

``python -m imcevo.experiment.mapping_study --out results/reference/mapping`` from the root of a checkout writes
``searches.csv`` (a row per problem, policy and seed) and ``summary.csv`` (medians and ranges over seeds).
``python -m imcevo.analysis.mapping_figure results/reference/mapping`` draws them.
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

from imcevo.costs import unit_costs
from imcevo.errors import UserError
from imcevo.experiment.files import make_folder, write_atomically
from imcevo.experiment.manifest import available_cores
from imcevo.mapping.factors import ON_ARRAYS
from imcevo.mapping.judge import energy_latency, least_energy_latency
from imcevo.mapping.policies import ExactPolicy
from imcevo.mapping.records import STREAMED
from imcevo.optimise import ParetoArchive, optimiser_entry, optimiser_options
from imcevo.problem import CodesignProblem, load_problem
from imcevo.problem.genome import HARDWARE
from imcevo.simulator import PhysicalSimulator

# RRAM resident, SRAM streaming, cell chosen by the search.
PROBLEMS = ("rram_resident4", "sram_streamed4", "quickstart")
POLICIES = ("greedy", "evolved", "exact")
POPULATION = 100


class Job(NamedTuple):
    """One search, to be judged at `evaluations` designs and at `seconds` of one core."""

    problem: Path
    policy: str
    seed: int
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
    """Search until both budgets are spent; hypervolume of the front at either end, and re-mapped exactly."""
    problem = load_problem(job.problem, policy=job.policy)
    problem.evaluate(problem.sample(2, np.random.default_rng(0)))  # compilation is not timed
    options = optimiser_options("nsga2", {"population": POPULATION})
    optimiser = optimiser_entry("nsga2").build(problem, options, seed=job.seed)
    archive = ParetoArchive(problem.n_var, problem.n_obj)
    row: dict[str, Any] = {"problem": job.problem.stem, "policy": job.policy, "seed": job.seed}
    started = time.perf_counter()
    while not {"hypervolume_at_evaluations", "hypervolume_at_seconds"} <= row.keys():
        X = optimiser.ask()
        if len(X) == 0:
            break
        evaluation = problem.evaluate(X)
        optimiser.tell(evaluation)
        archive.add(*evaluation)
        spent = time.perf_counter() - started
        if archive.n_evaluated >= job.evaluations and "hypervolume_at_evaluations" not in row:
            front = archive.front()
            row |= {"evaluations": archive.n_evaluated, "seconds_for_them": spent}
            row["hypervolume_at_evaluations"] = problem.box.hypervolume(front.F)
            row["hypervolume_remapped"] = _remapped(problem, front.X, job.problem)
            row["gap_to_exact"] = _gap(problem, front.X, front.F)
            started += time.perf_counter() - started - spent  # judging is not timed
        if spent >= job.seconds and "hypervolume_at_seconds" not in row:
            row |= {"seconds": job.seconds, "evaluations_in_them": archive.n_evaluated}
            row["hypervolume_at_seconds"] = problem.box.hypervolume(archive.front().F)
    return row


def _remapped(problem: CodesignProblem, X: NDArray[np.int64], file: Path) -> float:
    """Hypervolume of the same hardware under the exact mapper at every weight, and under the old mapping."""
    if len(X) == 0:
        return 0.0
    exact = load_problem(file, policy="exact")
    hardware = np.unique(X[:, problem.genome.place(HARDWARE)], axis=0)
    n_weights = len(ExactPolicy.WEIGHTS)
    weight = np.tile(np.arange(n_weights), len(hardware))[:, None]
    evaluation = exact.evaluate(np.hstack([np.repeat(hardware, n_weights, axis=0), weight]))
    feasible = evaluation.F[(evaluation.G <= 0).all(axis=1)]
    return problem.box.hypervolume(np.concatenate([feasible, problem.evaluate(X).F]))


def _gap(problem: CodesignProblem, X: NDArray[np.int64], F: NDArray[np.float64]) -> float:
    """Median over layers of energy x latency over its least, minus 1, of the design of best energy x latency.

    NaN where weights stay on chip.
    """
    simulator = problem.simulator
    assert isinstance(simulator, PhysicalSimulator)
    if len(X) == 0:
        return np.nan
    designs = problem.decode(X[[int(np.argmin(F[:, 0] * F[:, 1]))]])
    costs, geometry = unit_costs(designs, simulator.technology), simulator.geometry(designs)
    if geometry["deployment"][0] != STREAMED:
        return np.nan
    mapping = simulator.map(geometry, costs, designs.mapping_genes)
    on_arrays = mapping.factors["unit"][0] == ON_ARRAYS
    layers, prices = simulator.layers[on_arrays], simulator.prices(costs)
    reached = energy_latency(layers, geometry, prices, mapping._replace(factors=mapping.factors[:, on_arrays]))
    return float(np.median(reached / least_energy_latency(layers, geometry, prices))) - 1.0


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Median, least and largest over seeds of every figure, a row per problem and policy."""
    figures = [name for name in rows.columns if name not in ("problem", "policy", "seed")]
    table = rows.groupby(["problem", "policy"], sort=False)[figures].agg(["median", "min", "max"])
    table.columns = table.columns.map("_".join)
    return table.reset_index()


def main() -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m imcevo.experiment.mapping_study", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the tables")
    parser.add_argument("--problems", type=Path, default=Path("problems"), metavar="DIR", help="their problem files")
    parser.add_argument("--only", choices=PROBLEMS, help="one of the problems")
    parser.add_argument("--seeds", type=int, default=10, help="seeds of every search")
    parser.add_argument("--evaluations", type=int, default=5000, help="designs for equal evaluations")
    parser.add_argument("--seconds", type=float, default=20.0, help="of one core for equal time")
    given = parser.parse_args()
    try:
        for option in ("seeds", "evaluations", "seconds"):
            if not getattr(given, option) > 0:
                raise UserError("is out of range", key=f"--{option}", value=getattr(given, option), allowed="above 0")
        make_folder(given.out)
        jobs = [
            Job(given.problems / f"{name}.toml", policy, seed, given.evaluations, given.seconds)
            for name in ([given.only] if given.only else PROBLEMS)
            for policy in POLICIES
            for seed in range(1, given.seeds + 1)
        ]  # fmt: skip
        for job in jobs[:: len(POLICIES) * given.seeds]:
            load_problem(job.problem)  # mistakes in the files show before the pool starts
        rows: list[dict[str, Any]] = []
        rank = {name: place for place, name in enumerate((*PROBLEMS, *POLICIES))}
        for row in searches(jobs):
            rows.append(row)
            print(f"{len(rows)} of {len(jobs)}: {row['problem']}, {row['policy']}, seed {row['seed']}", flush=True)
            # Written after every search: an interrupted study keeps what it has.
            rows.sort(key=lambda r: (rank[r["problem"]], rank[r["policy"]], r["seed"]))
            table = pd.DataFrame(rows)
            for name, part in (("searches.csv", table), ("summary.csv", summary(table))):
                write_atomically(given.out / name, part.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
