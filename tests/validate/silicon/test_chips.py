"""Files of measured chips: what ships, and what is told about wrong ones."""

from collections import Counter

import pytest

from imcevo.errors import UserError
from imcevo.validate.silicon.chips import chip_technology, load_chips, shipped_folder

GOOD = (shipped_folder() / "yin_ted_2020.toml").read_text("utf-8")


def written(folder, text, name="chip.toml"):
    (folder / name).write_text(text)
    return folder / name


def test_the_shipped_chips_cover_memories_and_nodes():
    chips = load_chips()
    families = Counter(chip.family for chip in chips)
    assert len(chips) >= 12
    assert families["rram"] >= 3
    assert families["sram_digital"] >= 3
    assert sum(families[f"sram_{kind}"] for kind in ("charge", "discharge", "current")) >= 6
    nodes = {chip.hardware.node_nm for chip in chips}
    assert min(nodes) == 7
    assert max(nodes) == 130
    assert chip_technology(chips)


def test_no_figure_is_counted_twice():
    for chip in load_chips():
        counted = [m for m in chip.measurements if m.excluded is None]
        keys = Counter(
            (m.quantity, m.components, m.voltage_V or chip.operation.voltage_V, m.input_level, m.source,
             m.input_bits or chip.operation.input_bits, m.weight_bits or chip.operation.weight_bits) for m in counted
        )  # fmt: skip
        assert max(keys.values()) == 1, chip.name


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("rows = 128", "row = 128", "hardware.row: unknown key; did you mean 'rows'"),
        ("rows = 128", "rows = 1", "hardware: rows: 1 is out of range"),
        ("rows_active = 128", "rows_active = 129", "rows_active 129 is more than the 128 rows"),
        ("cols_per_adc = 8", "cols_per_adc = 128", "cols_per_adc must be a multiple of cols_summed, and at most cols"),
        ('unit = "TOPS/W"', 'unit = "TOPS"', "unit 'TOPS' is not one of energy: TOPS/W, fJ/MAC"),
        ("value = 24.1", "value = -1.0", "measurements.0..value.*greater than 0"),
        ("input_level = 0.5", "input_level = 1.5", "operation.input_level"),
        ('family = "rram"', 'family = "ram"', "family"),
        ("value = 24.1", "value = 24.1\ncomponents = ['adcs']", "component 'adcs' is not one of cells"),
        ("value = 24.1", "value = 24.1\ncalibrates = true\nexcluded = 'odd'", "cannot calibrate and be excluded"),
        ("value = 24.1", "value = nan", "is not a finite number"),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path, old, new, told):
    assert old in GOOD
    with pytest.raises(UserError, match=told) as caught:
        load_chips(written(tmp_path, GOOD.replace(old, new, 1)))
    assert "\n" not in str(caught.value)


def test_cells_and_nodes_need_data(tmp_path):
    for old, new, told in (
        ('cell = "rram_1t1r"', 'cell = "rram_1t1"', "hardware.cell: 'rram_1t1' is not a known bit cell.*did you mean"),
        ("node_nm = 90", "node_nm = 91", "hardware.node_nm: 91 is not a CMOS node with data"),
        ("voltage_V = 1.2", "voltage_V = 2.2", "Yin 2020: voltage_V: 2.2 is no supply for 90 nm"),
        ('adc_type = "flash"', 'adc_type = "none"', "Yin 2020: hardware.adc_type: 'none' does not fit"),
    ):
        path = written(tmp_path, GOOD.replace(old, new, 1))
        with pytest.raises(UserError, match=told):
            chip_technology(load_chips(path), path)


def test_own_cells_lie_beside_the_chips(tmp_path):
    (tmp_path / "cells").mkdir()
    cell = (shipped_folder() / "cells" / "rram_neurram.toml").read_text("utf-8")
    written(tmp_path / "cells", cell, "mine.toml")
    path = written(tmp_path, GOOD.replace('cell = "rram_1t1r"', 'cell = "mine"'))
    assert chip_technology(load_chips(tmp_path), tmp_path).cell("mine").on_off_ratio == 4
    assert chip_technology(load_chips(path), path).cell("mine")


def test_an_empty_folder_and_a_name_given_twice(tmp_path):
    with pytest.raises(UserError, match="holds 0 chips"):
        load_chips(tmp_path)
    written(tmp_path, GOOD, "a.toml")
    written(tmp_path, GOOD, "b.toml")
    with pytest.raises(UserError, match="'Yin 2020' is the name of two chips"):
        load_chips(tmp_path)
    with pytest.raises(UserError, match="no such file"):
        load_chips(tmp_path / "none.toml")
