"""Every simulator answers the whole protocol; what it does not model it says in the stated way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.problem import CodesignProblem, load_problem
from imcevo.simulator.interface import Simulator
from imcevo.technology import load_technology

PROBLEMS = Path(__file__).parents[2] / "problems"
SHIPPED = ("cells4", "hybrid9", "precision4", "evolved_streamed4", "published_sram4")
MEMBERS = [name for name in vars(Simulator) if not name.startswith("_")]


@pytest.fixture(scope="module", params=SHIPPED)
def problem(request: pytest.FixtureRequest) -> CodesignProblem:
    return load_problem(PROBLEMS / f"{request.param}.toml")


def test_it_has_every_member(problem: CodesignProblem) -> None:
    assert len(MEMBERS) > 20
    assert not [name for name in MEMBERS if not hasattr(problem.simulator, name)]


def test_what_is_none_is_none_together(problem: CodesignProblem) -> None:
    simulator, published = problem.simulator, problem.name.startswith("published")
    designs = problem.decode(problem.sample(3, np.random.default_rng(1)))
    design = designs.design(0)
    with simulator.keeping_mappings():
        mapped = simulator.mapped(designs)
    assert (mapped is None) == (simulator.layers is None)
    if mapped is not None and simulator.layers is not None:
        assert mapped.factors.shape == (3, len(simulator.layers))
    assert (simulator.technology is None) == published
    assert (simulator.tile_kinds == ()) == published
    assert (simulator.restricted_to(simulator.networks[:1]) is None) != published
    assert (simulator.kernels(snr=True) == ()) == published
    if not simulator.mapping_genes.names:
        assert (simulator.layer_report(design, simulator.networks[0], None) is None) == published
        assert (simulator.network_snr(design) == {}) == published
    assert simulator.aiming_at([-np.inf] * len(simulator.networks)).networks == simulator.networks


def test_genes_have_costs_where_there_are_genes(problem: CodesignProblem) -> None:
    simulator, genes = problem.simulator, problem.simulator.mapping_genes
    designs = problem.decode(problem.sample(2, np.random.default_rng(2)))
    costs = simulator.mapping_gene_costs(designs, np.tile(genes.start, (1, 2, 1)))
    assert (costs is None) == (not genes.names)
    if costs is not None:
        metrics = simulator.simulate(designs.with_mapping(np.tile(genes.start, (2, 1))))
        np.testing.assert_allclose(costs[0, :, :, 0].sum(axis=1), metrics.energy_J.sum(axis=1), rtol=1e-9)
        np.testing.assert_allclose(costs[0, :, :, 1].sum(axis=1), metrics.latency_s.sum(axis=1), rtol=1e-9)


def test_another_technology_changes_energy_or_is_refused(problem: CodesignProblem) -> None:
    designs = problem.decode(problem.sample(3, np.random.default_rng(3)))
    before = problem.simulator.simulate(designs, snr=False)
    technology = load_technology()
    kinds = {}
    for name, kind in technology.circuits.dram.items():
        dearer = kind.access_energy.model_copy(update={"value": 2 * kind.access_energy.value})
        kinds[name] = kind.model_copy(update={"access_energy": dearer})
    changed = replace(technology, circuits=technology.circuits.model_copy(update={"dram": kinds}))
    if problem.simulator.technology is None:
        with pytest.raises(UserError, match="technology"):
            problem.simulator.with_technology(changed)
        return
    after = problem.simulator.with_technology(changed).simulate(designs, snr=False)
    assert (after.energy_J > before.energy_J).all()
    assert (problem.simulator.simulate(designs, snr=False).energy_J == before.energy_J).all()
