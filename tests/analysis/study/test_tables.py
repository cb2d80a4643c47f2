"""Tables of a study worked out by hand: two networks, three designs, three seeds."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from imcevo.analysis.study.claims import gains_over_single_networks
from imcevo.analysis.study.mixes import mix_table, risk_table
from imcevo.analysis.study.tables import (
    comparison_with_baselines,
    gap_summary,
    gap_table,
    own_objective_table,
    suite_table,
    unseen_table,
    with_products,
)
from imcevo.study.config import SpreadConfig

SEEDS = (1, 2, 3)
NETWORKS = pd.DataFrame({"network": ["n", "m"], "macs": [1e9, 4e9], "weights": 1, "family": "cnn"})
# design -> network -> energy [mJ]; seeds multiply by 1, 1.1, 1.2
ENERGY = {"joint": (2.0, 4.0), "own n": (1.0, 16.0), "own m": (4.0, 2.0)}
LATENCY_S, AREA_M2 = 1e-3, 1e-5


@pytest.fixture
def metrics() -> pd.DataFrame:
    rows = [
        {
            "design": design, "entry": design.split()[0], "seed": seed, "deployment": deployment, "network": network,
            "energy_J": 1e-3 * energy * (1 + 0.1 * (seed - 1)), "latency_s": LATENCY_S, "area_m2": AREA_M2,
            "feasible": not (design == "own n" and deployment == "suite" and seed == 3),
        }
        for design, energies in ENERGY.items()
        for seed in SEEDS
        for deployment in ("suite", "alone")
        for network, energy in zip("nm", energies, strict=True)
    ]  # fmt: skip
    return with_products(pd.DataFrame(rows), NETWORKS)


@pytest.fixture
def designs() -> pd.DataFrame:
    return pd.DataFrame([
        {"design": design, "seed": seed, "networks": networks, "left_out": left_out, "alone": alone}
        for design, networks, left_out, alone in (
            ("joint", "n m", "", False), ("own n", "n", "m", True), ("own m", "m", "n", True),
        )
        for seed in SEEDS
    ])  # fmt: skip


def test_efficiency_is_two_operations_per_mac(metrics: pd.DataFrame) -> None:
    first = metrics.iloc[0]  # 2e9 operations on 2 mJ
    assert first["TOPS_per_W"] == pytest.approx(1.0)
    assert first["edap_Jsm2"] == pytest.approx(2e-3 * 1e-3 * 1e-5)


def test_gaps_are_over_the_networks_own_design(metrics: pd.DataFrame, designs: pd.DataFrame) -> None:
    gaps = gap_table(metrics, designs)
    energy = gaps[(gaps["quantity"] == "energy_J") & (gaps["deployment"] == "suite")]
    joint = energy[(energy["design"] == "joint") & (energy["seed"] == 2)].set_index("network")["gap"]
    assert joint.to_dict() == pytest.approx({"n": 2.0, "m": 2.0})
    own = energy[(energy["design"] == "own n") & (energy["network"] == "m")].set_index("seed")["gap"]
    assert own.loc[1] == pytest.approx(8.0)
    assert math.isnan(own.loc[3])  # it cannot run the suite there
    summary = gap_summary(gaps).set_index(["design", "deployment", "quantity", "on"]).sort_index()
    other = summary.loc[("own m", "suite", "energy_J")]
    assert other.loc["n", "median"] == pytest.approx(4.0)
    assert other.loc["geometric_mean", "median"] == pytest.approx(2.0)
    assert other.loc["max", "median"] == other.loc["spread", "median"] == pytest.approx(4.0)
    assert summary.loc[("own n", "suite", "energy_J", "max"), "seeds"] == 2
    assert summary.loc[("own n", "alone", "energy_J", "max"), "seeds"] == 3
    assert len(gap_table(metrics, designs.assign(alone=False))) == 0


def test_the_first_design_is_compared_with_all_others(
    metrics: pd.DataFrame, designs: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {("energy", "same_chip"): 1.1, ("energy", "two_chips"): 1.6, ("throughput", "two_chips"): 2.0,
             ("area", "two_chips"): 3.0}  # fmt: skip
    monkeypatch.setattr("imcevo.analysis.uncertainty.uncertainty_factors", lambda: known)
    suite = suite_table(metrics, "mean")
    cells = designs.assign(cell="a").mask(designs["design"] == "own m", designs.assign(cell="b"))
    table = comparison_with_baselines(suite, cells, {"energy_J": 1.5, "latency_s": 1.1, "area_m2": 1.0})
    table = table.set_index(["deployment", "quantity", "baseline"]).sort_index()
    # TOPS/W: joint (1 + 2) / 2, own n (2 + .5) / 2, own m (.5 + 4) / 2
    gained = table.loc[("suite", "TOPS_per_W")]
    assert gained["ratio"].to_dict() == pytest.approx({"own n": 1.2, "own m": 2 / 3})
    assert gained["better"].to_dict() == pytest.approx({"own n": 0.2, "own m": -1 / 3})
    assert gained["seeds"].to_dict() == {"own n": 2, "own m": 3}
    # 1.2 is beyond the error between designs of one cell, 1 / 1.5 within that between cells.
    assert gained["model_factor"].to_dict() == pytest.approx({"own n": 1.1, "own m": 1.6})
    assert gained["told_apart"].to_dict() == {"own n": True, "own m": False}
    saved = table.loc[("alone", "edap_Jsm2", "own n")]
    assert saved["better"] == pytest.approx(1 - 3.0 / 8.5)
    assert (saved["low"], saved["high"]) == pytest.approx((saved["ratio"], saved["ratio"]))
    assert saved["p"] <= saved["p_holm"]
    area = table.loc[("alone", "area_m2", "own n")]
    assert area["p"] == 1.0
    assert area["correlation_needed"] == 1.0
    assert 0 < table.loc[("alone", "energy_J", "own n"), "correlation_needed"] < 1


def test_losing_on_the_own_objective_is_noticed(metrics: pd.DataFrame) -> None:
    suite = suite_table(metrics, "geometric_mean")
    own = own_objective_table(suite, "edap_Jsm2").set_index("design")
    assert own.loc["joint", "median"] == pytest.approx(1.1e-3 * math.sqrt(8) * LATENCY_S * AREA_M2)
    assert own["not_significantly_worse"].iloc[1:].tolist() == [True, True]
    many = pd.concat([
        suite.assign(seed=suite["seed"] + 3 * k, edap_Jsm2=suite["edap_Jsm2"] * (1 + 0.01 * k)) for k in range(4)
    ], ignore_index=True)  # fmt: skip
    many.loc[many["design"] == "joint", "edap_Jsm2"] *= 1.01 + 0.001 * many["seed"]
    worse = own_objective_table(many, "edap_Jsm2").set_index("design")
    assert not worse.loc["own m", "not_significantly_worse"]
    assert worse.loc["own n", "feasible_seeds"] == 8


def test_unseen_networks_are_held_against_the_design_that_saw_them(
    metrics: pd.DataFrame, designs: pd.DataFrame
) -> None:
    renamed = metrics.replace({"own m": "cnn alone"})
    others = designs.replace({"own m": "cnn alone"}).assign(alone=lambda t: t["design"] == "own n")
    table = unseen_table(renamed, others, ["energy_J"]).set_index(["design", "network"])
    assert set(table.index.get_level_values("design")) == {"cnn alone"}
    assert table.loc[("cnn alone", "n"), "unseen"]
    assert not table.loc[("cnn alone", "m"), "unseen"]
    assert table.loc[("cnn alone", "n"), "over_first"] == pytest.approx(2.0)
    assert table.loc[("cnn alone", "n"), "over_specialised"] == pytest.approx(4.0)


def test_mixes_weigh_energies_not_ratios(metrics: pd.DataFrame) -> None:
    mixes = {"half": ({"n": 0.5, "m": 0.5}, 1.0), "mostly m": ({"n": 0.1, "m": 0.9}, 0.0)}
    table = mix_table(metrics, mixes, "energy_J").set_index(["mix", "design"])
    # Median seed: 1.1 times. "own n" on two seeds: 1.05.
    assert table.loc[("half", "joint"), "median"] == pytest.approx(1.1 * 3e-3)
    assert table.loc[("half", "own m"), "median"] == pytest.approx(1.1 * 3e-3)
    assert table.loc[("half", "own n"), "median"] == pytest.approx(1.05 * 8.5e-3)
    assert table.loc[("mostly m", "own m"), "best"]
    assert table.loc[("mostly m", "joint"), "regret"] == pytest.approx(3.8 / 2.2 - 1)


def test_risk_is_over_days_and_grows_with_their_scatter(metrics: pd.DataFrame) -> None:
    mixes = {"half": ({"n": 0.5, "m": 0.5}, 1.0), "never": ({"n": 1e-9, "m": 1.0}, 0.0)}
    steady = risk_table(metrics, mixes, "energy_J", SpreadConfig(concentration=1e6, draws=500)).set_index("design")
    loose = risk_table(metrics, mixes, "energy_J", SpreadConfig(concentration=2.0, draws=500)).set_index("design")
    assert steady.loc["joint", "mean"] == pytest.approx(1.1 * 3e-3, rel=1e-2)
    assert steady.loc["joint", "worst"] == pytest.approx(1.1 * 3e-3, rel=1e-2)
    for table in (steady, loose):
        assert (table["mean"] <= table["cvar"]).all()
        assert (table["cvar"] <= table["worst"]).all()
    assert loose.loc["own n", "cvar"] > 1.3 * steady.loc["own n", "cvar"]


def test_gains_over_single_networks_are_the_least_and_the_most(metrics: pd.DataFrame, designs: pd.DataFrame) -> None:
    comparison = comparison_with_baselines(suite_table(metrics, "mean"), designs, None)
    certified = pd.DataFrame([
        {"problem": "small", "joint": "joint, max", "baseline": name, "quantity": "energy_J", "better": better}
        for name, better in (("a", 0.25), ("b", math.nan), ("c", -0.5))
    ])  # fmt: skip
    table = gains_over_single_networks(comparison, designs, certified, "energy_J").set_index(["scope", "quantity"])
    searched = table.loc[("searched", "TOPS_per_W")]
    assert (searched["least_over"], searched["most_over"]) == ("own m", "own n")
    assert (searched["least"], searched["most"]) == pytest.approx((-1 / 3, 0.2))
    saved = table.loc[("searched", "energy_J")]  # 3 mJ over 8.5 and over 3
    assert (saved["most"], saved["most_low"], saved["most_high"]) == pytest.approx((1 - 3 / 8.5,) * 3)
    assert saved["least"] == pytest.approx(0.0)
    exact = table.loc[("small", "energy_J")]
    assert (exact["runs"], exact["cannot_run"], exact["least"], exact["most"]) == (2, 1, -0.5, 0.25)
