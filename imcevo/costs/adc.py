"""Analog-to-digital converters: energy, time and area of one conversion. Rising in bits for every type."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imcevo.costs.equation import Real, equation
from imcevo.costs.scaling import Array, Supply, reference_delay
from imcevo.portable.arrays import exp2, power
from imcevo.technology import Node, Technology

ADC_TYPES = ("sar", "flash")


@equation(
    name="energy of a general-purpose converter",
    formula="1e-12 * max(level_pJ * level_base^adc_bits, noise_pJ * 4^adc_bits * rate_Hz^rate_exponent)"
    " * adc_bits^bits_exponent * node_nm^node_exponent * (voltage_V/nominal_V)^2",
    unit="J",
    source="Andrulis et al., arXiv 2404.06553, on Murmann's survey of converters (their best fifth); C V^2",
)
def general_purpose_energy(
    level_pJ: Real, level_base: Real, adc_bits: Real, noise_pJ: Real, rate_Hz: Real, rate_exponent: Real,
    bits_exponent: Real, node_nm: Real, node_exponent: Real, voltage_V: Real, nominal_V: Real,
) -> Real:  # fmt: skip
    energy_pJ = np.maximum(
        level_pJ * power(level_base, adc_bits), noise_pJ * exp2(2 * adc_bits) * power(rate_Hz, rate_exponent)
    )
    scale = power(adc_bits, bits_exponent) * power(node_nm, node_exponent) * (voltage_V / nominal_V) ** 2
    return 1e-12 * energy_pJ * scale


@equation(
    name="energy of a SAR converter", formula="min(matching_F * 4^adc_bits * voltage_V^2, general_J)", unit="J",
    source="capacitors that match to an LSB grow with 4^B (Pelgrom); never above a general-purpose converter",
)  # fmt: skip
def sar_energy(matching_F: Real, adc_bits: Real, voltage_V: Real, general_J: Real) -> Real:
    return np.minimum(matching_F * exp2(2 * adc_bits) * voltage_V**2, general_J)


@equation(
    name="time of a SAR conversion", formula="(adc_bits + 1) * bit_cycle_s", unit="s",
    source="NeuroSim V1.3; bit cycle scaled with the gate delay",
)  # fmt: skip
def sar_time(adc_bits: Real, bit_cycle_s: Real) -> Real:
    return (adc_bits + 1) * bit_cycle_s


@equation(
    name="area of a SAR ADC",
    formula="1e-12 * 10^(intercept - slope * adc_bits) * 2^adc_bits * (feature_m/reference_m)^exponent",
    unit="m2",
    source="ZigZag-IMC (arXiv 2305.18335); node exponent of Andrulis et al., arXiv 2404.06553",
)
def sar_area(
    intercept: Real, slope: Real, adc_bits: Real, feature_m: Real, reference_m: Real, exponent: Real
) -> Real:
    at_reference = 1e-12 * power(10.0, intercept - slope * adc_bits) * exp2(adc_bits)
    return at_reference * power(feature_m / reference_m, exponent)


@equation(
    name="energy of a flash converter", formula="(2^adc_bits - 1) * comparator_J", unit="J",
    source="NeuroSim V1.3: one comparator per level",
)  # fmt: skip
def flash_energy(adc_bits: Real, comparator_J: Real) -> Real:
    return (exp2(adc_bits) - 1) * comparator_J


@equation(
    name="area of a flash ADC", formula="(2^adc_bits - 1) * comparator_m2", unit="m2",
    source="NeuroSim V1.3: one comparator per level",
)  # fmt: skip
def flash_area(adc_bits: Real, comparator_m2: Real) -> Real:
    return (exp2(adc_bits) - 1) * comparator_m2


@equation(
    name="energy of a conversion", formula="adc_energy * converter_J", unit="J",
    source="scale: calibration.toml, adc_energy",
)  # fmt: skip
def conversion_energy(adc_energy: Real, converter_J: Real) -> Real:
    return adc_energy * converter_J


class Adc(NamedTuple):
    """One converter of each design ``[n_designs]``: joules and seconds per conversion, m2."""

    energy_J: Array
    time_s: Array
    area_m2: Array


def adc_of(adc_bits: Array, flash: NDArray[np.bool_], supply: Supply, technology: Technology) -> Adc:
    """The converters of designs that have one; `flash` marks the flash converters, the others are SAR."""
    if not flash.any():
        adc = _sar(adc_bits, supply, technology)
    elif flash.all():
        adc = _flash(adc_bits, supply, technology)
    else:
        pairs = zip(_flash(adc_bits, supply, technology), _sar(adc_bits, supply, technology), strict=True)
        adc = Adc(*(np.where(flash, one, other) for one, other in pairs))
    scale = technology.calibration.adc_energy.si
    return adc._replace(energy_J=np.asarray(conversion_energy(scale, adc.energy_J)))


def _sar(adc_bits: Array, supply: Supply, technology: Technology) -> Adc:
    data, fit = technology.circuits.sar, technology.circuits.general_adc
    reference, timed = technology.node(data.node_nm), technology.node(int(data.cycle_node.value))
    time = sar_time(adc_bits, data.bit_cycle.si * supply.gate_delay_s / timed.gate_delay.si)
    area = sar_area(
        data.area_intercept.si, data.area_slope.si, adc_bits, supply.feature_m, reference.feature_size.si,
        data.area_node_exponent.si,
    )  # fmt: skip
    # Designs without a converter have 0 bits, which the fit does not take.
    general = general_purpose_energy(
        fit.level_energy.value, fit.level_base.si, np.maximum(adc_bits, 1.0), fit.noise_energy.value, 1 / time,
        fit.rate_exponent.si, -fit.bits_exponent.si, supply.feature_m * 1e9, fit.node_exponent.si, supply.voltage_V,
        supply.nominal_V,
    )  # fmt: skip
    energy = sar_energy(data.matching_capacitance.si, adc_bits, supply.voltage_V, general)
    return Adc(np.asarray(energy), np.asarray(time), np.asarray(area))


def _flash(adc_bits: Array, supply: Supply, technology: Technology) -> Adc:
    data = technology.circuits.flash
    reference, at = technology.node(data.node_nm), data.reference_voltage.si
    time = data.conversion_time.si * supply.gate_delay_s / reference_delay(reference, at, technology)
    area = flash_area(adc_bits, data.comparator_area.si * supply.gate_area / reference.logic_area.si)
    energy = flash_energy(adc_bits, data.comparator_energy.si * _switching(supply, reference, at))
    return Adc(np.asarray(energy), time, np.asarray(area))


def _switching(supply: Supply, reference: Node, reference_V: float) -> Array:
    """Switching energy relative to a node and supply ``[n_designs]``."""
    return supply.capacitance / reference.switching_energy.si * (supply.voltage_V / reference_V) ** 2
