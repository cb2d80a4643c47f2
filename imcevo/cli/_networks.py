"""A network printed layer by layer, and its totals: what listing, showing and importing have in common."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from imcevo.cli.output import print_table

if TYPE_CHECKING:
    from imcevo.workload import Layer, Network


def print_network(shown: Network) -> None:
    """A table of the layers and their totals."""
    sizes = ("N", "G", "C", "M", "P", "Q", "R", "S")
    rows = [
        [
            layer.name, layer.kind, *(str(getattr(layer, size)) for size in sizes),
            f"{layer.stride_h}x{layer.stride_w}", f"{layer.macs:,}", f"{layer.n_parameters:,}",
            f"{layer.ops:,}", _flags(layer),
        ]
        for layer in shown.layers
    ]  # fmt: skip
    header = ["layer", "kind", *sizes, "stride", "MACs", "parameters", "operations", "flags"]
    total = ["total", "", *[""] * len(sizes), "", f"{shown.macs:,}", f"{shown.parameters:,}"]
    rows.append([*total, f"{sum(layer.ops for layer in shown.layers):,}", ""])
    print_table(f"{shown.name}: {shown.description}", header, rows, text_columns=2)
    typer.echo(
        f"C and M are per group. MACs with two activations (attention): {shown.attention_macs:,}. "
        f"Weights that need array cells: {shown.array_weights:,}."
    )
    if any(layer.stored_as for layer in shown.layers):
        typer.echo("What layers share (stored_as) counts once in the totals of parameters and of weights.")


def summary_of(network: Network) -> dict[str, Any]:
    """Totals of a network; deviations are fractions of the published figure."""
    published = network.published
    return {
        "network": network.name,
        "family": network.family,
        "description": network.description,
        "n_layers": len(network.layers),
        "macs": network.macs,
        "attention_macs": network.attention_macs,
        "parameters": network.parameters,
        "array_weights": network.array_weights,
        "published": asdict(published) if published else None,
        "macs_deviation": network.macs_as_published / published.macs - 1 if published else None,
        "parameters_deviation": network.parameters / published.parameters - 1 if published else None,
    }


def layer_record(layer: Layer) -> dict[str, Any]:
    """A layer's fields, with its parameters and MACs counted."""
    return {**asdict(layer), "parameters": layer.n_parameters, "macs": layer.macs}


def _flags(layer: Layer) -> str:
    from imcevo.workload.layers import MOST_BITS

    names = ("dynamic", "sequential", "fused", "from_dram", "to_dram")
    bits = [f"{key.removesuffix('_bits')} {getattr(layer, key)} bit" for key in MOST_BITS if getattr(layer, key)]
    stored = [f"stored_as {layer.stored_as}"] if layer.stored_as else []
    return " ".join([*(name for name in names if getattr(layer, name)), *stored, *bits])
