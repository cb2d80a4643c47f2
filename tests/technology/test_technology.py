"""The shipped data, and what happens to bad data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from imcevo.costs import unit_costs
from imcevo.costs.families import MACRO_MODELS
from imcevo.errors import UserError
from imcevo.technology import CELL_FAMILIES, load_cell, load_technology
from imcevo.technology.load import DATA
from imcevo.technology.quantity import UNITS
from tests.costs.designs import action, close, design_of, table

RRAM = (DATA / "cells" / "rram_1t1r.toml").read_text(encoding="utf-8")
FILES = sorted(path for folder in ("", "cells", "nodes") for path in (DATA / folder).glob("*.toml"))


def numbers(data: dict[str, Any], place: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in data.items():
        dotted = f"{place}.{key}" if place else key
        if isinstance(value, dict) and "value" not in value:
            found += numbers(value, dotted)
        elif not isinstance(value, bool | str):
            found.append((dotted, value))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_has_unit_and_source(path: Path) -> None:
    found = numbers(tomllib.loads(path.read_text(encoding="utf-8")))
    assert found
    for key, entry in found:
        assert isinstance(entry, dict), f"{key} is a bare number"
        assert set(entry) == {"value", "unit", "source"}, key
        assert entry["unit"] in UNITS, key
        assert len(entry["source"]) >= 10, key


def test_nodes_and_cells() -> None:
    technology = load_technology()
    assert {65, 45, 32, 28, 22, 16, 14, 10, 7} <= set(technology.nodes)
    shipped = {
        "edram_gain_3t", "fefet_1f1r", "flash_nor", "pcm_1t1r", "rram_1t1r", "sram_analog_8t", "sram_charge_10t1c",
        "sram_current_12t", "sram_digital", "stt_mram",
    }  # fmt: skip
    assert shipped == set(technology.cells)
    assert not technology.cell("rram_1t1r").volatile
    assert technology.cell("rram_1t1r").on_off_ratio == close(150)
    assert not technology.cell("sram_digital").has_adc
    assert technology.cell("sram_digital").max_bits_per_cell == 1
    assert set(CELL_FAMILIES) == set(MACRO_MODELS)


def test_scaling_falls_from_node_to_node() -> None:
    nodes = [node for _, node in sorted(load_technology().nodes.items())]
    for key in ("gate_delay", "switching_energy", "logic_area", "nominal_voltage"):
        values = [getattr(node, key).si for node in nodes]
        assert values == sorted(values), key


# Delay polynomials of Stillmaker & Baas (2017), FO4 in ps, against the alpha-power law fitted to them.
@pytest.mark.parametrize(
    ("node", "coefficients", "within"),
    [(16, (0, 24.8, -47.52, 28.87), 0.03), (14, (-40.66, 109.2, -100.6, 35.92), 0.02),
     (7, (-28.58, 76.6, -70.26, 24.69), 0.01), (65, (-53.3, 230.4, -333.9, 178.6), 0.19)],
)  # fmt: skip
def test_delay_law_follows_its_source(node: int, coefficients: tuple[float, ...], within: float) -> None:
    data = load_technology().node(node)
    threshold, nominal = data.threshold_voltage.si, data.nominal_voltage.si
    for voltage in (0.5, 0.6, 0.65):
        a, b, c, d = coefficients
        published = (a * voltage**3 + b * voltage**2 + c * voltage + d) * 1e-12
        law = data.gate_delay.si * voltage / nominal * ((nominal - threshold) / (voltage - threshold)) ** 1.3
        assert law == close(published, rel=within)


def test_scales() -> None:
    technology = load_technology()
    plain = technology.uncalibrated()
    assert {getattr(plain.calibration, name).value for name in type(plain.calibration).model_fields} == {1.0}
    assert plain.cells is technology.cells
    other = technology.with_scales(adc_energy=2.0)
    assert other.calibration.adc_energy.value == 2.0
    assert other.calibration.digital_energy == technology.calibration.digital_energy
    with pytest.raises(UserError, match="did you mean 'adc_energy'"):
        technology.with_scales(adc_enery=2.0)


def test_nodes_between() -> None:
    technology = load_technology().with_nodes([40, 65, 4, 180])
    node, low, high = (technology.node(nm) for nm in (40, 32, 45))
    for key in ("gate_delay", "switching_energy", "nominal_voltage", "threshold_voltage"):
        assert getattr(low, key).si < getattr(node, key).si < getattr(high, key).si, key
    assert node.feature_size.si == close(40e-9)
    assert node.gate_delay.source == "log-interpolated between 32 and 45 nm"
    assert technology.node(65) == load_technology().node(65)
    small, large = technology.node(4), technology.node(180)
    assert small.logic_area.value / technology.node(7).logic_area.value == close((4 / 7) ** 2)
    assert small.switching_energy.value > technology.node(7).switching_energy.value * 4 / 7
    assert large.gate_delay.value / technology.node(130).gate_delay.value == close(180 / 130)
    assert large.gate_delay.source == "extrapolated from 130 nm"


def test_unknown_names() -> None:
    technology = load_technology()
    with pytest.raises(UserError, match="did you mean 'rram_1t1r'"):
        technology.cell("rram_1t1")
    with pytest.raises(UserError, match="20 is not a CMOS node with data"):
        technology.node(20)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"kohm", source = "NeuroSim V1.3 (Param.cpp)" }', '"kohm" }', "on_resistance.source: this key is missing"),
        ("{ value = 6, unit", "{ value = 6, unti", "on_resistance.unti: unknown key; did you mean 'unit'"),
        ('value = 6, unit = "kohm"', 'value = 6, unit = "V"', "unit 'V' is not one of resistance: ohm, kohm"),
        ('value = 6, unit = "kohm"', 'value = 0, unit = "kohm"', "must be above 0"),
        ('value = 6, unit = "kohm"', 'value = 6000, unit = "kohm"', "off_resistance must be above on_resistance"),
        ('value = 6, unit = "kohm"', "value = nan, unit = 'kohm'", "not a finite number"),
        ('value = 4, unit = "bit"', 'value = 2.5, unit = "bit"', "must be a whole number"),
        ('family = "resistive"', 'family = "resitive"', "did you mean 'resistive'"),
        ('family = "resistive"', "", "family: this key is missing"),
        ("on_resistance =", "on_resistence =", "unknown key; did you mean 'on_resistance'"),
        ("volatile = false", "volatile = 0", "volatile"),
        ("volatile", "= volatile", "not valid TOML"),
    ],
)  # fmt: skip
def test_bad_cell_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in RRAM
    path = tmp_path / "mine.toml"
    path.write_text(RRAM.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_cell(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_a_new_cell_is_one_file(tmp_path: Path) -> None:
    leaky = RRAM.replace('value = 900, unit = "kohm"', 'value = 60, unit = "kohm"')
    (tmp_path / "rram_leaky.toml").write_text(leaky, encoding="utf-8")
    technology = load_technology(tmp_path)
    shipped, mine = (unit_costs(table(design_of(cell=name)), technology) for name in ("rram_1t1r", "rram_leaky"))
    assert action(mine, "cell_read_x") > 10 * action(shipped, "cell_read_x")
    assert action(mine, "adc_conversion") == action(shipped, "adc_conversion")


def test_user_folder_mistakes(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a folder of bit cells"):
        load_technology(tmp_path / "absent")
    (tmp_path / "rram_1t1r.toml").write_text(RRAM, encoding="utf-8")
    with pytest.raises(UserError, match="name of a shipped cell"):
        load_technology(tmp_path)
