"""Looked-up repair and canonical genomes against computed ones."""

from __future__ import annotations

import numpy as np
import pytest

from imcevo.problem import load_problem, tabulated
from imcevo.problem.canonical import Canonicaliser
from imcevo.problem.tabulated import TabulatedCanonicaliser, canonicaliser_of
from tests.tools.kills import ROOT

PROBLEMS = sorted((ROOT / "problems").glob("*.toml"))


def equal_tables(these, those):
    assert list(these) == list(those)
    assert these.names == those.names
    for key in these:
        assert these[key].dtype == those[key].dtype
        assert these[key].flags.c_contiguous
        assert np.array_equal(these[key], those[key])


def require_equal(space, simulator, n=4000):
    X = np.random.default_rng(1).integers(0, space.upper + 1, size=(n, len(space.genes)))
    looked_up = canonicaliser_of(space, simulator)
    assert isinstance(looked_up, TabulatedCanonicaliser)
    computed = Canonicaliser(space, simulator)
    rows, designs = computed(X)
    assert np.array_equal(looked_up.canonical(X), rows)
    assert np.array_equal(looked_up(X)[0], rows)
    for table in (looked_up(X)[1], looked_up.repaired(X), looked_up.repaired(rows)):
        equal_tables(table, designs)
    assert looked_up.canonical(X[:0]).shape == (0, len(space.genes))


def test_values_that_the_space_lacks(problem):
    require_equal(problem.space, problem.simulator)


@pytest.mark.parametrize("file", PROBLEMS, ids=lambda path: path.stem)
def test_shipped_problems(file):
    problem = load_problem(file)
    if problem.simulator.repair_reads is None:
        assert isinstance(canonicaliser_of(problem.space, problem.simulator), Canonicaliser)
    else:
        require_equal(problem.space, problem.simulator)


def require_reads_nothing_else(space, simulator):
    reads = simulator.repair_reads
    assert not {read for names in reads.values() for read in names} & set(reads)
    rng = np.random.default_rng(2)
    X = rng.integers(0, space.upper + 1, size=(500, len(space.genes)))
    before = simulator.repair(space.decode(X))
    for place, gene in enumerate(space.genes):
        other = X.copy()
        other[:, place] = rng.integers(0, space.upper[place] + 1, size=len(X))
        after = simulator.repair(space.decode(other))
        for key in space.values:
            if gene != key and gene not in reads.get(key, ()):
                assert np.array_equal(before[key], after[key]), (gene, key)


def test_repair_reads_nothing_but_what_it_says(problem):
    require_reads_nothing_else(problem.space, problem.simulator)


@pytest.mark.parametrize("name", ["quickstart", "precision4", "published_sram4_nodes"])
def test_repair_of_the_profiles_reads_nothing_but_what_they_say(name):
    shipped = load_problem(ROOT / "problems" / f"{name}.toml")
    require_reads_nothing_else(shipped.space, shipped.simulator)


def test_too_many_values_are_computed(problem, monkeypatch):
    monkeypatch.setattr(tabulated, "_LARGEST_TABLE", 3)
    assert isinstance(canonicaliser_of(problem.space, problem.simulator), Canonicaliser)
