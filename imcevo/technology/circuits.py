"""Circuits outside the bit cells: what `circuits.toml` holds, group by group."""

from __future__ import annotations

from imcevo.config import StrictModel
from imcevo.technology import quantity as q


class Cmos(StrictModel):
    """Delay law, leakage and wires, the same at every node."""

    velocity_saturation: q.Number
    logic_depth: q.Number
    logic_leakage: q.CurrentPerArea
    global_wire_width: q.Number
    repeated_wire_delay: q.Number
    repeater_capacitance: q.Number
    wire_activity: q.Number
    driver_overhead: q.Number


class Stated(StrictModel):
    """A group whose numbers hold at one node and supply."""

    reference_node: q.Length
    reference_voltage: q.Voltage

    @property
    def node_nm(self) -> int:
        return int(self.reference_node.value)


class Gates(Stated):
    """The standard cells that digital circuits are built from."""

    nand_capacitance: q.Capacitance
    nand_area: q.Area
    nand_delay: q.Time
    multiplier_energy: q.Energy
    flip_flop_energy: q.Energy
    flip_flop_area: q.Area
    adder_energy: q.Energy
    adder_area: q.Area
    adder_sum_delay: q.Time
    adder_carry_delay: q.Time
    adder_activity: q.Number
    partial_sum_width: q.Bits
    register_weight_width: q.Bits


class SarAdc(Stated):
    """Successive approximation: capacitors that must match do not shrink with the node."""

    matching_capacitance: q.Capacitance
    area_intercept: q.LogArea
    area_slope: q.LogAreaPerBit
    area_node_exponent: q.Number
    cycle_node: q.Length
    bit_cycle: q.Time


class GeneralAdc(StrictModel):
    """Regression of Andrulis et al. on general-purpose converters: pJ, Hz and nm in its formula."""

    level_energy: q.Energy
    level_base: q.Number
    noise_energy: q.Energy
    rate_exponent: q.Number
    bits_exponent: q.Number
    node_exponent: q.Number


class FlashAdc(Stated):
    """One comparator per level."""

    comparator_energy: q.Energy
    comparator_area: q.Area
    conversion_time: q.Time


class Dac(Stated):
    """Voltage converters of word lines that take more than one bit at once."""

    bit_capacitance: q.Capacitance
    bit_area: q.Area


class Buffer(Stated):
    """SRAM buffers by width and depth, and the ports of a tile's buffers."""

    reference_width: q.Bits
    reference_depth: q.Number
    read_energy: q.EnergyPerBit
    read_width_exponent: q.Number
    read_depth_exponent: q.Number
    write_energy: q.EnergyPerBit
    write_width_exponent: q.Number
    write_depth_exponent: q.Number
    array_efficiency: q.Number
    bit_leakage: q.Current
    port_width_per_macro: q.Bits


class NetworkOnChip(Stated):
    """Routers."""

    flit_width: q.Bits
    router_energy: q.Energy
    router_area: q.Area


class Dram(StrictModel):
    """One kind of off-chip memory and its interface."""

    access_energy: q.EnergyPerBit
    pin_rate: q.BitRate
    width: q.Bits
    interface_area: q.Area
    interface_width: q.Bits


class DigitalUnit(StrictModel):
    """Lanes of the chip's digital unit."""

    operand_width: q.Bits
    accumulator_width: q.Bits


class Circuits(StrictModel):
    """All groups; `dram` holds the kinds of off-chip memory by name."""

    cmos: Cmos
    gates: Gates
    sar: SarAdc
    general_adc: GeneralAdc
    flash: FlashAdc
    dac: Dac
    buffer: Buffer
    network: NetworkOnChip
    dram: dict[str, Dram]
    digital_unit: DigitalUnit
