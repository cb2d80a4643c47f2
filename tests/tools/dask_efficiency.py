"""How well islands of the quickstart problem use the workers of a Dask cluster, and that all of them find the same.

    python -m tests.tools.dask_efficiency [--workers 4] [--evaluations 1000000] [--interval 50] [--repeats 3]
                                          [--policy exact]

One island per worker. Efficiency is t(1) / (n t(n)) over wall times of whole runs, loading the problem and writing the
tables included, on local clusters of 1 and of n workers with one thread each; workers are started, and have loaded
their code in a short run, before the clock runs. `search_efficiency` leaves loading and tables out (timing.csv). The
same run in processes (they start within the run) and in a cluster that loses a worker in its midst must leave the same
bytes. Wants at least n idle cores, and needs the dask extra. `--policy` replaces the problem's mapping policy; under
the exact one `--evaluations 40000 --interval 5` are enough.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from distributed import LocalCluster
from numpy.typing import NDArray

from imcevo.problem import load_problem
from imcevo.runs import load_experiment, run_experiment
from imcevo.runs.recorder import TIMING, Status
from tests.tools.kills import EXPERIMENT, ROOT, lasting_files


def cluster_of(n: int, folder: Path) -> Any:
    """A cluster of `n` worker processes with one thread each."""
    return LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None, local_directory=str(folder))


def kills_one(cluster: Any) -> Callable[[Status], None]:
    """A progress callback that kills a worker of `cluster` once half of the budget is spent."""
    left = [True]

    def progress(status: Status) -> None:
        if left and 2 * status.evaluations >= status.budget:
            left.clear()
            next(iter(cluster.workers.values())).process.process._process.kill()

    return progress


class Runs:
    """Timed runs of one experiment, which must all leave the same files."""

    def __init__(self, experiment: Path, place: Path) -> None:
        self._experiment, self._place = experiment, place
        self._first: dict[str, bytes] | None = None
        self._n = 0

    def seconds(self, progress: Callable[[Status], None] | None = None, **who: Any) -> tuple[float, float]:
        """Wall time of a run and of its search; ends the program if it left other bytes than the first one."""
        self._n += 1
        folder, started = self._place / str(self._n), time.perf_counter()
        run_experiment(
            load_experiment(self._experiment), out=folder, **who,
            progress=None if progress is None else lambda run, path: progress,
        )  # fmt: skip
        seconds = time.perf_counter() - started
        found = lasting_files(folder)
        self._first = self._first or found
        if found != self._first:
            sys.exit(f"{who}: other bytes than before")
        with (folder / TIMING).open() as file:
            return seconds, sum(float(row[key]) for row in csv.DictReader(file) for key in ("evaluate_s", "tell_s"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    parser.add_argument("--interval", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--policy", choices=("greedy", "exact"))
    chosen = parser.parse_args()
    n = chosen.workers
    islands = f"[islands]\ncount = {n}\ninterval = {chosen.interval}\n\n[budget]"
    text = EXPERIMENT.replace("population = 100", "population = 200").replace("[budget]", islands)
    text = text.replace("threads = 1", "threads = 0")  # the tables at the end; workers have one each all the same
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        problem = load_problem(ROOT / "problems" / "quickstart.toml", policy=chosen.policy)
        (place / "problem.toml").write_text(problem.resolved_toml())
        text = re.sub(r"problem = .*", 'problem = "problem.toml"', text, count=1)
        full, short = place / "full.toml", place / "short.toml"
        full.write_text(text.replace("4000", str(chosen.evaluations)))
        short.write_text(text.replace("4000", str(200 * n)))
        runs = Runs(full, place)
        taken: dict[int, NDArray[np.float64]] = {}
        for count in (1, n):
            with cluster_of(count, place) as cluster:
                address = cluster.scheduler_address
                run_experiment(load_experiment(short), out=place / f"warm {count}", scheduler=address)
                taken[count] = np.median([runs.seconds(scheduler=address) for _ in range(chosen.repeats)], axis=0)
                if count > 1:
                    runs.seconds(kills_one(cluster), scheduler=address)
        efficiency, of_search = taken[1] / (n * taken[n])
        figures = {
            "efficiency": efficiency, "search_efficiency": of_search, "one_worker_s": taken[1][0],
            f"{n}_workers_s": taken[n][0], "processes_s": runs.seconds(workers=n)[0],
            "evaluations": chosen.evaluations, "interval": chosen.interval,
            "policy": chosen.policy or "the problem's",
        }  # fmt: skip
        print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
