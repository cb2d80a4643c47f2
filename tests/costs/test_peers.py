"""The published equations of other simulators, against figures stated for them and against plain counting."""

import numpy as np
import pytest

from imcevo.costs.equation import tracing
from imcevo.costs.peers import accelforge, neurosim, zigzag
from imcevo.costs.peers.zigzag_mapping import fullest_rows, used_macro
from imcevo.workload import load_network

LAYERS = [layer for layer in load_network("resnet18").layers if layer.kind == "matrix"]


def counted_adders(rows, bits, used):
    """Full adders with both inputs and with one in use, walking the tree node by node."""
    active, width, full, half = [i < used for i in range(rows)], bits, 0, 0
    while len(active) > 1:
        for left, right in zip(active[::2], active[1::2], strict=True):
            full += width * (left and right)
            half += width * (left != right)
        active = [left or right for left, right in zip(active[::2], active[1::2], strict=True)]
        width += 1
    return full, half


def test_adders_of_a_partly_used_tree_are_those_counted_node_by_node():
    used = np.arange(33)
    full, half = zigzag.tree_adders(32, 8, used)
    assert list(zip(full, half, strict=True)) == [counted_adders(32, 8, n) for n in used]
    assert full[-1] == zigzag.tree_size(32, 8, 5)
    assert half[-1] == 0


@pytest.mark.parametrize(
    ("layer", "rows", "expected"),
    [((3, 7, 7), 64, 49), ((64, 3, 3), 128, 96), ((64, 3, 3), 256, 192), ((512, 1, 1), 64, 64), ((3, 7, 7), 256, 147)],
)
def test_fullest_rows_are_the_largest_product_of_divisors(layer, rows, expected):
    assert fullest_rows(*layer, rows) == expected


def test_more_activations_use_the_outputs_more_often_and_the_inputs_as_often():
    fullest = used_macro(LAYERS, 128, 128)
    given = used_macro(LAYERS, 128, 128, 1.25 * fullest.activations)
    assert given.output_uses == pytest.approx(1.25 * fullest.output_uses)
    assert given.input_uses == fullest.input_uses
    full = used_macro(LAYERS, 64, 8)
    assert full.output_uses == pytest.approx(8 * full.activations)  # every layer has 8 outputs


def test_a_zigzag_adc_is_the_published_one():
    c = zigzag.zigzag_constants()
    energy_J = zigzag.adc_energy(c.adc_logic_capacitance.si, c.adc_noise_capacitance.si, 8, c.supply.si)
    assert energy_J == pytest.approx((800 + 65.536) * 0.81e-15)
    assert zigzag.adc_area(c.adc_area_intercept.si, c.adc_area_slope.si, 8) == pytest.approx(2084.7e-12, rel=1e-4)
    assert zigzag.adc_time(8, 128, c.adc_delay_per_row.si, c.adc_delay.si) == pytest.approx(11.807e-9, rel=1e-4)


def test_bit_parallel_zigzag_macros_have_no_accumulator_and_digital_ones_no_converter():
    c = zigzag.zigzag_constants()
    parallel = zigzag.areas_m2(zigzag.ZigZagMacro(True, 64, 64, 6, 8), c)
    assert parallel["accumulators"] == 0 < parallel["place_value_adders"]
    digital = zigzag.ZigZagMacro(False, 64, 64, 0, 1)
    assert zigzag.areas_m2(digital, c)["adcs"] == 0
    assert "adcs" not in zigzag.energies_J(digital, used_macro(LAYERS, 64, 64), c)
    wide = digital._replace(input_bits=2)
    assert zigzag.areas_m2(wide, c)["place_value_adders"] > zigzag.areas_m2(digital, c)["place_value_adders"] == 0


def macros(**changed):
    given = {"rows": 128, "cols": 128, "adc_bits": 8, "bits_per_cell": 2, "input_bits": 8, "weight_bits": 8,
             "M": 64, "N": 512, "K": 512} | changed  # fmt: skip
    return accelforge.AccelForgeMacros(**{name: np.array([float(value)]) for name, value in given.items()})


@pytest.mark.parametrize(("bits", "published_pJ"), [(4, 0.924), (6, 1.065), (8, 1.714), (10, 3.31)])
def test_accelforge_conversions_cost_what_is_published_at_32_nm(bits, published_pJ):
    conversions = 64 * 512 * (512 / 128) * 8 * 4
    energy_J = accelforge.energies_J(macros(adc_bits=bits, cols=32), accelforge.accelforge_constants())["adcs"]
    assert energy_J / conversions == pytest.approx(published_pJ * 1e-12, rel=2e-3)


def test_accelforge_reads_every_product_and_converts_every_column_sum():
    c = accelforge.accelforge_constants()
    base = accelforge.energies_J(macros(), c)
    double = accelforge.energies_J(macros(N=1024), c)
    assert all(double[part] == pytest.approx(2 * base[part]) for part in base)
    one_bit = accelforge.energies_J(macros(bits_per_cell=1), c)
    assert one_bit["cells"] == pytest.approx(2 * base["cells"])
    # 513 rows of weights take a fifth array.
    assert accelforge.energies_J(macros(K=513), c)["adcs"] == pytest.approx(1.25 * base["adcs"])


def test_wires_make_cells_of_large_accelforge_arrays_cheaper():
    c = accelforge.accelforge_constants()
    small, large = (accelforge.energies_J(macros(rows=n, cols=n), c)["cells"] for n in (64, 512))
    assert large < 0.6 * small


def subarrays(**changed):
    given = {"rows": 128.0, "levels": 32.0, "bits_per_cell": 1.0, "sar": True, "row_activity": 0.16,
             "column_ohm": 800.0} | changed  # fmt: skip
    return neurosim.SubArrays(**{name: np.array([value]) for name, value in given.items()})


@pytest.mark.parametrize(("bits_per_cell", "cycles"), [(1, 17), (2, 18), (8, 24)])
def test_a_neurosim_input_bit_takes_eight_reads_and_their_shift_adds(bits_per_cell, cycles):
    slices = subarrays(bits_per_cell=float(bits_per_cell)).slices
    assert neurosim.input_bit_cycles(8, slices) == cycles


def test_neurosim_lays_out_a_rectangle_around_the_modules():
    c = neurosim.neurosim_constants()
    for cell in neurosim.CELLS:
        for nm in neurosim.NODES:
            estimate = neurosim.estimate(subarrays(), cell, nm, c)
            assert estimate.area_m2 > estimate.used_area_m2
    assert neurosim.bounding_area(2.0, 3.0, 6.0, 4.0) == 4.0 * 5.0


def test_neurosim_sense_amplifiers_grow_with_levels_and_sar_converters_with_bits():
    c = neurosim.neurosim_constants()
    sar, flash = (
        [neurosim.estimate(subarrays(levels=levels, sar=sar), "RRAM", 22, c) for levels in (32.0, 64.0)]
        for sar in (True, False)
    )
    assert sar[1].used_area_m2 < 1.1 * sar[0].used_area_m2
    assert flash[1].used_area_m2 > 1.6 * flash[0].used_area_m2
    assert sar[1].latency_s - sar[0].latency_s == pytest.approx(17 * 1.4e-9)


def test_only_resistive_neurosim_cells_notice_how_many_rows_are_active():
    c = neurosim.neurosim_constants()
    for cell, notices in (("RRAM", True), ("SRAM", False)):
        quiet, busy = (neurosim.estimate(subarrays(row_activity=a), cell, 32, c).energy_J for a in (0.1, 0.5))
        assert (busy > quiet) == notices


def test_peer_equations_can_be_traced():
    with tracing() as terms:
        neurosim.bounding_area(1.0, 1.0, 1.0, 1.0)
    assert terms[0].value == 4.0
    assert "NeuroSim" in terms[0].source
