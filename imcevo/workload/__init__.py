"""Workloads: layers, networks, value statistics, and the arrays they become."""

from imcevo.workload.build import layer_names, layer_table
from imcevo.workload.csvfile import read_network_csv, write_network_csv
from imcevo.workload.layers import KINDS, Layer
from imcevo.workload.library import load_network, network_names
from imcevo.workload.network import FAMILIES, Family, Network, Precision, PublishedTotals
from imcevo.workload.statistics import INPUT_STATISTICS, WEIGHT_STATISTICS, ValueStatistics, input_statistics
from imcevo.workload.table import ELEMENTWISE, LOOKUP, MATRIX, LayerTable

__all__ = [
    "ELEMENTWISE", "FAMILIES", "INPUT_STATISTICS", "KINDS", "LOOKUP", "MATRIX", "WEIGHT_STATISTICS", "Family",
    "Layer", "LayerTable", "Network", "Precision", "PublishedTotals", "ValueStatistics", "input_statistics",
    "layer_names", "layer_table", "load_network", "network_names", "read_network_csv", "write_network_csv",
]  # fmt: skip
