"""A small simulator with the interface of the real ones: smooth closed forms, the same kinds of repair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace

import numpy as np

from imcevo.costs.equation import Term
from imcevo.costs.terms import AREA_COMPONENTS, ENERGY_COMPONENTS, RESOURCES
from imcevo.hardware import Design, DesignTable, Value, table_of
from imcevo.mapping.policies import NO_GENES
from imcevo.simulator.design_keys import KEYS
from imcevo.simulator.not_modelled import NotModelled
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.results import Breakdown, Metrics, Repair
from imcevo.technology import load_technology

MOST_BITS = {"rram_1t1r": 4, "sram_analog_8t": 1, "sram_digital": 1}


class FakeSimulator(NotModelled):
    """Records the number of designs of every `simulate` call in `batches`."""

    name = "fake"
    mapping_genes = NO_GENES
    keys = KEYS
    required = ("capacity_bits",)
    repair_reads: Mapping[str, Sequence[str]] | None = {
        "bits_per_cell": ("cell",), "adc_type": ("cell",), "adc_bits": ("cell",), "cols_per_adc": ("cols",),
        "voltage_V": ("node_nm",),
    }  # fmt: skip

    def __init__(self, networks: Sequence[str] = ("resnet18", "mobilebert")) -> None:
        self.networks = tuple(networks)
        self.batches: list[int] = []
        self._known = SimpleNamespace(technology=load_technology())  # it has no technology that could be changed

    def check(self, key: str, value: Value) -> None:
        PhysicalSimulator.check(self._known, key, value)  # type: ignore[arg-type]

    def repair(self, designs: DesignTable) -> DesignTable:
        cell = designs.named("cell")
        analog = cell != "sram_digital"
        most = np.array([MOST_BITS.get(str(name), 1) for name in cell])
        converters = tuple(dict.fromkeys((*designs.names["adc_type"], "none", "sar")))
        given = np.where(designs.named("adc_type") == "none", converters.index("sar"), designs["adc_type"])
        repaired = designs.replace(
            bits_per_cell=np.minimum(designs["bits_per_cell"], most),
            adc_type=np.where(analog, given, converters.index("none")),
            adc_bits=np.where(analog, np.maximum(designs["adc_bits"], 1), 0),
            cols_per_adc=np.minimum(designs["cols_per_adc"], designs["cols"]),
            voltage_V=np.minimum(designs["voltage_V"], np.where(designs["node_nm"] < 22, 0.75, 1.2)),
        )
        return DesignTable(repaired.columns, {**designs.names, "adc_type": converters})

    def repairs(self, design: Design) -> Sequence[Repair]:
        used = self.repair(table_of([design])).design(0)
        return [
            Repair(key, design[key], used[key], "the cell forbids it")
            for key in design
            if design[key] != used[key]
        ]

    def simulate(self, designs: DesignTable, *, snr: bool = True) -> Metrics:
        self.batches.append(designs.n_designs)
        parts = self.breakdown(designs)
        bits = 1.0 * designs["rows"] * designs["cols"] * designs["bits_per_cell"] * designs["macros_per_tile"]
        lossless = np.ceil(np.log2(designs["rows"]))
        return Metrics(
            parts.energy_J.sum(axis=2), parts.latency_s.sum(axis=2), parts.area_m2.sum(axis=1),
            {
                "capacity_bits": 1e5 - bits,
                "adc_bits": np.where(designs["adc_bits"] > 0, lossless - designs["adc_bits"], 0.0),
            },
            macs=np.full(len(self.networks), 1e9),
        )  # fmt: skip

    def breakdown(self, designs: DesignTable) -> Breakdown:
        n, networks = designs.n_designs, len(self.networks)
        energy = np.zeros((n, networks, len(ENERGY_COMPONENTS)))
        latency = np.zeros((n, networks, len(RESOURCES)))
        area = np.zeros((n, len(AREA_COMPONENTS)))
        has_adc = designs["adc_bits"] > 0
        for index in range(networks):
            energy[:, index, 0] = 1e-6 * (index + 1) * designs["voltage_V"] ** 2
            adc = 1e-7 * 2.0 ** designs["adc_bits"] / designs["rows"]
            energy[:, index, ENERGY_COMPONENTS.index("adc")] = np.where(has_adc, adc, 0.0)
            latency[:, index, 0] = 1e-3 * (index + 1) * designs["cols_per_adc"] / designs["cols"]
        area[:, 0] = 1e-12 * designs["rows"] * designs["cols"] * designs["macros_per_tile"]
        area[:, AREA_COMPONENTS.index("adc")] = np.where(has_adc, 1e-9 * designs["cols"], 0.0)
        return Breakdown(ENERGY_COMPONENTS, RESOURCES, AREA_COMPONENTS, energy, latency, area)

    def explain(self, design: Design) -> Sequence[Term]:
        return [Term("cell_energy", "E = C V^2", {"voltage_V": design["voltage_V"]}, 1e-15, "J", "this test")]

    def shortfall_notes(self, design: Design) -> Mapping[str, str]:
        missed = self.simulate(table_of([design])).shortfalls
        return {name: f"{value[0]:.0f} short" for name, value in missed.items() if value[0] > 0}
