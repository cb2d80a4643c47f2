"""Speed of kernels, evaluation and search. Warm, on designs never seen before, the median of several repeats."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from imcevo.bench.problem import bench_problem
from imcevo.mapping.kernel_records import STREAMED
from imcevo.mapping.memo import MappingMemo
from imcevo.optimise import optimiser_options
from imcevo.optimise.exhaustive import ExhaustiveSearch
from imcevo.problem import CodesignProblem
from imcevo.problem.constraints import SNR, Constraint
from imcevo.runs.config import RunSpec
from imcevo.runs.manifest import available_cores
from imcevo.runs.search_loop import SearchLoop
from imcevo.simulator.stages import Stages
from imcevo.workload.table import MATRIX

_REPEATS = 7
_DESIGNS = 2048
_GEOMETRIES = 16
_SEARCH_EVALUATIONS = 10_000


class Figures(NamedTuple):
    """What `imcevo bench` reports; the words are in `MEANINGS`."""

    layer_evaluations_per_s_per_core: float
    greedy_mappings_per_s_per_core: float
    designs_per_s: float
    designs_per_s_with_snr: float
    search_evaluations_per_s: float
    exact_mappings_per_s_per_core: float
    exact_reprices_per_s_per_core: float
    search_evaluations_per_s_evolved: float
    search_evaluations_per_s_evolved_300: float
    search_evaluations_per_s_exact: float
    exhaustive_designs_per_s: float
    start_up_s: float
    cores: int


MEANINGS = {
    "layer_evaluations_per_s_per_core": "unique matrix layer x design, mapping given: unit costs, counts, energy, "
    "latency, area (element-wise layers are done too, not counted); one thread",
    "greedy_mappings_per_s_per_core": "unique matrix layer x design mapped by the greedy policy; one thread",
    "designs_per_s": "designs on four networks, from genome to objectives and constraints; all cores",
    "designs_per_s_with_snr": "the same with a constraint on compute-SNR, whose table knows every conversion",
    "search_evaluations_per_s": "NSGA-II with archive and run folder, population 200; all cores, wall time",
    "exact_mappings_per_s_per_core": "unique matrix layer x design mapped exactly at its own prices, nothing "
    "remembered; one thread",
    "exact_reprices_per_s_per_core": "unique matrix layer mapped exactly at prices never seen before, out of the "
    "remembered non-dominated mappings of a streamed geometry; one thread",
    "search_evaluations_per_s_evolved": "the same search with explicit mapping genes, 17 per unique layer shape",
    "search_evaluations_per_s_evolved_300": "the same on two of the networks, whose unique shapes have some 300 genes",
    "search_evaluations_per_s_exact": "the same search with the exact mapper inside, a tenth of the evaluations",
    "exhaustive_designs_per_s": "genomes of the space decided one after the other, exact front kept; all cores",
    "start_up_s": "seconds until `imcevo --version` has answered",
    "cores": "cores that this process may use",
}


def measure() -> Figures:
    """All figures; takes some ten seconds."""
    cores, before = available_cores(), numba.get_num_threads()
    with tempfile.TemporaryDirectory(prefix="imcevo-bench-") as folder:
        problem = bench_problem(Path(folder))
        rng = np.random.default_rng(1)
        try:
            numba.set_num_threads(1)
            layers = _layer_evaluations(problem, rng)
            mappings = _mappings(problem, rng, _DESIGNS)
            exact = bench_problem(Path(folder), policy="exact")
            exact_mappings = _mappings(exact, rng, max(1, _DESIGNS // 32))
            exact_reprices = _reprices(exact, rng)
            numba.set_num_threads(min(cores, numba.config.NUMBA_NUM_THREADS))
            designs = _designs(problem, rng)
            with_snr = _designs(replace(problem, constraints=(*problem.constraints, Constraint(SNR, 16.0, -1))), rng)
            search = _search(problem, Path(folder), "greedy", _SEARCH_EVALUATIONS)
            evolved = bench_problem(Path(folder), policy="evolved")
            search_evolved = _search(evolved, Path(folder), "evolved", _SEARCH_EVALUATIONS)
            some = bench_problem(Path(folder), policy="evolved", networks=("resnet18", "mobilebert"))
            search_some = _search(some, Path(folder), "evolved_300", _SEARCH_EVALUATIONS)
            search_exact = _search(exact, Path(folder), "exact", _SEARCH_EVALUATIONS // 10)
            exhaustive = _exhaustive(problem)
        finally:
            numba.set_num_threads(before)
    return Figures(
        layers, mappings, designs, with_snr, search, exact_mappings, exact_reprices, search_evolved, search_some,
        search_exact, exhaustive, _start_up(), cores,
    )  # fmt: skip


def _median_rate(prepare: Callable[[], tuple[int, Callable[[], object]]], repeats: int = _REPEATS) -> float:
    """Median of operations per second; `prepare` gives their number and the work, and is itself not timed."""
    rates = []
    for repeat in range(repeats + 1):
        operations, work = prepare()
        start = time.perf_counter()
        work()
        if repeat:  # the first compiles, or loads what was compiled
            rates.append(operations / (time.perf_counter() - start))
    return statistics.median(rates)


def _layer_evaluations(problem: CodesignProblem, rng: np.random.Generator) -> float:
    stages = _stages(problem)

    def prepare() -> tuple[int, Callable[[], object]]:
        designs = problem.decode(_fresh_genomes(problem, rng))
        geometry = stages.geometry(designs)
        mapping = stages.map(designs, geometry, stages.unit_costs(designs))

        def work() -> object:
            costs = stages.unit_costs(designs)
            counts = stages.count(geometry, costs.rates, mapping)
            latency = counts.times.sum(axis=2)  # prices as `simulate` does
            energy = np.einsum("dna,da->dn", counts.actions, costs.energy_J) + costs.leakage_W[:, None] * latency
            return energy, latency, costs.area_m2.sum(axis=1)

        return designs.n_designs * _matrix_layers(stages), work

    return _median_rate(prepare)


def _mappings(problem: CodesignProblem, rng: np.random.Generator, n_designs: int) -> float:
    stages = _stages(problem)

    def prepare() -> tuple[int, Callable[[], object]]:
        designs = problem.decode(_fresh_genomes(problem, rng)[:n_designs])
        geometry, costs = stages.geometry(designs), stages.unit_costs(designs)
        return len(geometry) * _matrix_layers(stages), lambda: stages.map(designs, geometry, costs)

    return _median_rate(prepare)


def _reprices(problem: CodesignProblem, rng: np.random.Generator) -> float:
    """Every geometry is asked for a mapping at the prices of one design after the other, as they come."""
    stages = _stages(problem)
    memo = MappingMemo(stages.suite.layers, stages.suite.precision.partial_sum_bits)
    geometry = stages.geometry(problem.decode(_fresh_genomes(problem, rng)))
    geometry = geometry[geometry["deployment"] == STREAMED][:_GEOMETRIES]
    remembered = [int((np.diff(memo.mappings(chip).first) > 0).sum()) for chip in np.split(geometry, len(geometry))]

    def prepare() -> tuple[int, Callable[[], object]]:
        prices = stages.prices(stages.unit_costs(problem.decode(_fresh_genomes(problem, rng))))
        weights = rng.random((_DESIGNS, len(stages.suite.networks), 2))
        pieces = np.array_split(np.arange(_DESIGNS), len(geometry))

        def work() -> None:
            for place, piece in enumerate(pieces):
                asked = slice(piece[0], piece[-1] + 1)
                memo.map(geometry[place : place + 1], prices.take(asked), weights[asked])

        return sum(n * len(piece) for n, piece in zip(remembered, pieces, strict=True)), work

    return _median_rate(prepare)


def _designs(problem: CodesignProblem, rng: np.random.Generator) -> float:
    def prepare() -> tuple[int, Callable[[], object]]:
        X = _fresh_genomes(problem, rng)
        problem.simulator.simulate(problem.decode(X), snr=problem.needs_snr)  # fills the table of compute-SNR
        return len(X), lambda: problem.evaluate(X)

    return _median_rate(prepare)


def _search(problem: CodesignProblem, folder: Path, name: str, evaluations: int) -> float:
    runs = iter(range(1, 100))

    def prepare() -> tuple[int, Callable[[], object]]:
        seed = next(runs)
        below = folder / name / str(seed)
        below.mkdir(parents=True)
        run = RunSpec("nsga2", optimiser_options("nsga2", {"population": 200}), seed, str(seed))

        def work() -> None:
            with SearchLoop(problem, run, evaluations, below) as session:
                session.work()

        return evaluations, work

    return _median_rate(prepare, repeats=3)


def _exhaustive(problem: CodesignProblem) -> float:
    search = ExhaustiveSearch(problem, chunk=_DESIGNS)
    return _median_rate(lambda: (_DESIGNS, search.step))


def _start_up() -> float:
    """Seconds, the median of three."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "imcevo", "--version"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _matrix_layers(stages: Stages) -> int:
    return int((stages.suite.layers["kind"] == MATRIX).sum())


def _stages(problem: CodesignProblem) -> Stages:
    assert problem.simulator.stages is not None
    return problem.simulator.stages


def _fresh_genomes(problem: CodesignProblem, rng: np.random.Generator) -> NDArray[np.int64]:
    """Distinct canonical genomes ``[n_designs, n_var]``, other ones at every call."""
    X = np.unique(problem.canonical(problem.sample(2 * _DESIGNS, rng)), axis=0)
    return rng.permutation(X)[:_DESIGNS]
