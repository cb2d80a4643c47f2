"""Workloads: layers, networks, value statistics, and the arrays they become."""

from imcevo.workload.build import layer_names, layer_table
from imcevo.workload.csvfile import read_network_csv, write_network_csv
from imcevo.workload.layers import KINDS, Layer
from imcevo.workload.library import Suite, load_network, load_suite, network_names, suites
from imcevo.workload.network import FAMILIES, Family, Network, PublishedTotals
from imcevo.workload.precision import LayerClass, Precision, layer_classes, with_precision
from imcevo.workload.statistics import INPUT_STATISTICS, WEIGHT_STATISTICS, ValueStatistics, input_statistics
from imcevo.workload.table import ELEMENTWISE, LOOKUP, MATRIX, LayerTable

__all__ = [
    "ELEMENTWISE", "FAMILIES", "INPUT_STATISTICS", "KINDS", "LOOKUP", "MATRIX", "WEIGHT_STATISTICS", "Family",
    "Layer", "LayerClass", "LayerTable", "Network", "Precision", "PublishedTotals", "Suite", "ValueStatistics",
    "input_statistics", "layer_classes", "layer_names", "layer_table", "load_network", "load_suite",
    "network_names", "read_network_csv", "suites", "with_precision", "write_network_csv",
]  # fmt: skip
