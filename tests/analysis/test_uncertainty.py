"""Which designs of a front the model can tell apart."""

import numpy as np
import pandas as pd
import pytest

from imcevo.analysis import uncertainty
from imcevo.analysis.uncertainty import cells_of, objective_factor, profile_of, representatives, uncertainty_factors


class Front:
    """What `representatives` reads of a run."""

    def __init__(self, path, profile, energy, area, cell=None, knee=0):
        (path / "problem.toml").write_text(f'[model]\nprofile = "{profile}"\n')
        self.path, self.objectives = path, ("energy_J_mean", "area_m2")
        self.front = pd.DataFrame({"energy_J_mean": energy, "area_m2": area, **({"cell": cell} if cell else {})})
        self.remarkable = {"knee": knee}

    @property
    def objective_values(self):
        return self.front[list(self.objectives)].to_numpy()


@pytest.fixture(autouse=True)
def factors(monkeypatch):
    known = {("energy", "same_chip"): 1.5, ("energy", "two_chips"): 3.0, ("throughput", "same_chip"): 2.0,
             ("throughput", "two_chips"): 4.0, ("area", "two_chips"): 1.2}  # fmt: skip
    monkeypatch.setattr(uncertainty, "uncertainty_factors", lambda: known)


def test_designs_within_the_factors_are_alike(tmp_path):
    run = Front(tmp_path, "physical", [1.0, 1.4, 1.6, 9.0], [1.0, 1.1, 1.0, 1.0], knee=1)
    # The knee speaks first; design 3 is too far from it in energy, alike in area alone is not enough.
    assert representatives(run, profile_of(run)).tolist() == [1, 1, 1, 3]
    run = Front(tmp_path, "physical", [1.0, 1.4], [1.0, 1.3])
    assert representatives(run, profile_of(run)).tolist() == [0, 1]


def test_different_cells_need_a_larger_difference(tmp_path):
    run = Front(tmp_path, "physical", [1.0, 2.5, 2.5], [1.0, 1.1, 1.1], cell=["a", "b", "a"])
    assert representatives(run, profile_of(run)).tolist() == [0, 0, 2]


def test_only_the_profile_that_was_compared_with_chips(tmp_path):
    run = Front(tmp_path, "published", [1.0, 1.1], [1.0, 1.1])
    assert representatives(run, profile_of(run)) is None


def test_factors_of_products_add_in_squares():
    assert objective_factor("edp_Js_mean", same_cell=True) == pytest.approx(
        np.exp(np.hypot(np.log(1.5), np.log(2.0)))
    )
    assert objective_factor("area_m2", same_cell=True) == objective_factor("area_m2", same_cell=False) == 1.2
    assert objective_factor("snr_dB", same_cell=True) == 1.0


def test_shipped_factors(monkeypatch):
    monkeypatch.undo()
    known = uncertainty_factors()
    for quantity in ("energy", "throughput", "area"):
        assert 1.0 < known[quantity, "value"] <= known[quantity, "two_chips"]
    assert known["energy", "same_chip"] < known["energy", "two_chips"]


def test_cells_of_hybrid_chips_are_two():
    designs = pd.DataFrame({"cell": ["a", "a", "d"], "digital_cell": "d", "digital_groups": [0, 2, 0]})
    assert cells_of(designs).tolist() == ["a", "a d", "d"]
    assert cells_of(designs.drop(columns="digital_cell")).tolist() == ["a", "a", "d"]
    assert cells_of(pd.DataFrame({"x": [1, 2]})).tolist() == ["", ""]
