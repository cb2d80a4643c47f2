"""Compute-SNR of networks on designs: which conversions a design makes, and which sums its mapping converts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from imcevo.accuracy.readout import READOUT_DTYPE
from imcevo.accuracy.sources import StatedValues, StatisticsSource
from imcevo.accuracy.table import CONVERSION_DTYPE, ErrorTable
from imcevo.costs.lines import SAMPLING_NOISE_STEPS, column_wire_ohm
from imcevo.hardware import DesignTable
from imcevo.hardware.forbidden import CALIBRATED
from imcevo.mapping.factors import Mapping as LayerMapping
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.loops import reduction_pieces
from imcevo.portable.arrays import log10, power
from imcevo.simulator.results import NetworkSnr
from imcevo.technology import Technology
from imcevo.workload import Network
from imcevo.workload.build import layer_names
from imcevo.workload.table import MATRIX

# Network -> layer name -> statistics measured from the user's tensors.
Measured = Mapping[str, Mapping[str, StatisticsSource]]


class SnrModel:
    """Compute-SNR of a suite on the physical profile.

    Args:
        networks: the suite.
        layers: its rows, with the bits of every layer.
        technology: of the cells.
        measured: statistics that replace the stated distributions.
    """

    def __init__(
        self, networks: Sequence[Network], layers: Records, technology: Technology, measured: Measured
    ) -> None:
        self._layers, self._technology = layers, technology
        self._networks = tuple(network.name for network in networks)
        self._names = layer_names(networks)
        by_name = {(network.name, layer.name): layer for network in networks for layer in network.layers}
        self._sources: list[list[StatisticsSource]] = []
        for row, (network, names) in zip(layers, self._names, strict=True):
            sources: list[StatisticsSource] = []
            for name in names if row["kind"] == MATRIX else ():
                bits = int(row["input_bits"]), int(row["second_bits"])
                stated = StatedValues(by_name[network, name].statistics, *bits)
                sources.append(measured.get(network, {}).get(name, stated))
            self._sources.append(sources)
        self._table = ErrorTable(self._sources, layers["K"], layers["network"])
        self._wires: dict[tuple[str, int], float] = {}

    def with_technology(self, technology: Technology) -> SnrModel:
        """The same suite under another technology; what is known of error ratios is shared."""
        other = copy(self)
        other._technology, other._wires = technology, {}
        return other

    def of_designs(self, designs: DesignTable, geometry: Records, mapping: LayerMapping) -> NDArray[np.float64]:
        """Compute-SNR of every network ``[n_designs, n_networks]``, dB."""
        pieces = reduction_pieces(self._layers, geometry, mapping.factors)
        return self._table.snr_dB(self.conversions(designs), designs["adc_bits"] == 0, pieces, len(self._networks))

    def layer_errors(self, designs: DesignTable, geometry: Records, mapping: LayerMapping) -> NDArray[np.float64]:
        """Var(error)/Var(y) that every row of layers adds to its network ``[n_designs, n_layers]``."""
        pieces = reduction_pieces(self._layers, geometry, mapping.factors)
        snr = self._table.layer_snr_dB(self.conversions(designs), designs["adc_bits"] == 0, pieces)
        converted = (pieces > 0) & (designs["adc_bits"] > 0)[:, None]
        return np.where(converted, power(10.0, -snr / 10.0), 0.0)

    def of_design(self, designs: DesignTable, geometry: Records, mapping: LayerMapping) -> dict[str, NetworkSnr]:
        """One design ``[1]``, with the layer that limits each network."""
        snr = self.of_designs(designs, geometry, mapping)[0]
        if designs["adc_bits"][0] == 0:
            return {name: NetworkSnr(float(snr[n]), "exact", None, None) for n, name in enumerate(self._networks)}
        found: dict[str, NetworkSnr] = {}
        layers = list(self.converted_layers(designs, geometry, mapping))
        for index, name in enumerate(self._networks):
            own = [(error, layer, source.measured) for network, layer, _, source, _, error in layers if network == name]
            if not own:
                found[name] = NetworkSnr(float(snr[index]), "exact", None, None)
                continue
            error, layer, _ = max(own, key=lambda entry: entry[0])
            confidence = "measured" if all(measured for _, _, measured in own) else "low"
            found[name] = NetworkSnr(float(snr[index]), confidence, layer, error_dB(error))
        return found

    def converted_layers(
        self, designs: DesignTable, geometry: Records, mapping: LayerMapping
    ) -> Iterable[tuple[str, str, int, StatisticsSource, int, float]]:
        """Layers on one design's arrays ``[1]``: network, layer, K, its statistics, pieces, error ratio."""
        pieces = reduction_pieces(self._layers, geometry, mapping.factors)[0]
        conversion = self.conversions(designs)
        for index, (network, names) in enumerate(self._names):
            if pieces[index] > 0:
                errors = self._table.layer_errors(conversion, index, int(pieces[index]))
                for name, source, error in zip(names, self._sources[index], errors, strict=True):
                    yield network, name, int(self._layers["K"][index]), source, int(pieces[index]), error

    def conversions(self, designs: DesignTable) -> NDArray[np.void]:
        """How every design converts ``[n_designs]`` of `CONVERSION_DTYPE`.

        Rows that are on together are spread evenly over the column, so rows / rows_active pieces of wire lie between
        two of them.
        """
        rows = np.zeros(designs.n_designs, dtype=CONVERSION_DTYPE)
        for name in ("dac_bits", "bits_per_cell", "rows_active", "adc_bits"):
            rows[name] = designs[name]
        cell = self._technology.cell
        rows["calibrated"] = designs.looked_up("adc_range", lambda name: name == CALIBRATED)
        rows["cell_variation"] = designs.looked_up("cell", lambda name: cell(name).variation.si)
        rows["on_off_ratio"] = designs.looked_up("cell", lambda name: cell(name).on_off_ratio)
        rows["sampling_noise"] = SAMPLING_NOISE_STEPS
        rows["wire_ratio"] = self._wire_ratio(designs) * designs["rows"] / designs["rows_active"]
        return rows

    def readout(self, designs: DesignTable, pieces: int) -> NDArray[np.void]:
        """One design's conversion ``[1]`` of sums of K / `pieces` rows, as the Monte Carlo takes it."""
        readout, conversion = np.zeros(1, dtype=READOUT_DTYPE), self.conversions(designs)
        for name in READOUT_DTYPE.names or ():
            readout[name] = pieces if name == "folds" else conversion[name]
        return readout

    def save(self) -> None:
        """Write what was computed to disk now, not only when the process ends."""
        self._table.save()

    def _wire_ratio(self, designs: DesignTable) -> NDArray[np.float64]:
        """Wire of one cell over its most conducting state ``[n_designs]``."""
        nodes, node = np.unique(designs["node_nm"], return_inverse=True)
        ratios = np.array([[self._ratio(cell, int(nm)) for nm in nodes] for cell in designs.names["cell"]])
        return ratios[designs["cell"], node]

    def _ratio(self, cell_name: str, node_nm: int) -> float:
        key = cell_name, node_nm
        if key not in self._wires:
            cell = self._technology.cell(cell_name)
            self._wires[key] = column_wire_ohm(cell, self._technology.node(node_nm)) / cell.read_resistance_ohm
        return self._wires[key]


def error_dB(error: float) -> float:
    """An error ratio as SNR in dB."""
    return float(-10.0 * log10(error))
