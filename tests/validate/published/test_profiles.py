"""Physical and published profile on the same designs."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from imcevo.simulator.published import PublishedSimulator
from imcevo.validate.published.profiles import NETWORKS, SPACES, agreement_rows, compare_profiles, validate_profiles

PROBLEMS = Path(__file__).parents[3] / "problems"


@pytest.mark.parametrize(("memory", "problem"), [("rram", "published_rram4"), ("sram", "published_sram4")])
def test_designs_come_from_the_published_space(memory, problem):
    space = tomllib.loads((PROBLEMS / f"{problem}.toml").read_text())["design_space"]
    for key, values in SPACES[memory].items():
        known = space[key] if isinstance(space[key], list) else [space[key]]
        assert set(values) <= set(known)
        # What is left out is what the physical cell cannot store.
        assert set(known) - set(values) <= ({5, 6, 7, 8} if key == "bits_per_cell" else set())


def test_energies_are_those_of_both_simulators():
    found = compare_profiles("sram", n_designs=20, seed=3)
    again = PublishedSimulator(NETWORKS, "sram").simulate(found.designs)
    assert found.published_J == pytest.approx(again.energy_J.mean(axis=1))
    assert (again.shortfalls["glb_bits"] <= 0).all()
    assert sum(found.parts_J.values()) == pytest.approx(found.physical_J)
    assert len(np.unique(found.physical_J)) == 20


def test_the_report_is_of_the_rows():
    report, rows = validate_profiles(n_designs=40), agreement_rows(n_designs=40)
    assert [sum(row["memory"] == memory for row in rows) for memory in ("rram", "sram")] == [40, 40]
    for memory, found in report.items():
        mine = [row for row in rows if row["memory"] == memory]
        ratio = np.array([row["physical_J"] / row["published_J"] for row in mine])
        assert found["ratio_median"] == pytest.approx(np.median(ratio))
        assert found["energy_spearman"] > 0.3
        assert sum(found["shares"].values()) == pytest.approx(1.0)
