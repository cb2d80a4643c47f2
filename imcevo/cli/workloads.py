"""``imcevo workloads``: networks, their layers and totals, and how these compare with what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imcevo.cli._networks import layer_record, print_network, summary_of
from imcevo.cli.options import Json
from imcevo.cli.output import print_json, print_table
from imcevo.cli.workloads_import import import_model

workloads = typer.Typer(
    invoke_without_command=True, help="Networks: list them, show one layer by layer, or import an ONNX model."
)
workloads.command("import")(import_model)



@workloads.callback()
def list_networks(context: typer.Context, json: Json = False) -> None:
    """List the shipped networks with their totals and their deviation from the published ones, and the suites."""
    if context.invoked_subcommand is not None:
        return
    from imcevo.workload import load_network, network_names, suites

    summaries = [summary_of(load_network(name)) for name in network_names()]
    if json:
        print_json(summaries)
        return
    header = ["network", "family", "layers", "MACs", "published", "parameters", "published"]
    print_table("Networks", header, [_row(summary) for summary in summaries], text_columns=2)
    for summary in summaries:
        typer.echo(f"{summary['network']}: {_sources(summary)}")
    rows = [[name, suite.description, ", ".join(suite.networks), suite.source] for name, suite in suites().items()]
    print_table("Suites", ["suite", "what", "networks", "source"], rows, text_columns=4)


@workloads.command()
def show(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Name of a network, or a layer CSV.")],
    json: Json = False,
) -> None:
    """Show a network layer by layer, with totals."""
    from imcevo.workload import load_network

    shown = load_network(network, key="NETWORK")
    if json:
        print_json({**summary_of(shown), "layers": [layer_record(layer) for layer in shown.layers]})
    else:
        print_network(shown)


@workloads.command()
def measure(
    tensors: Annotated[
        Path, typer.Argument(metavar="TENSORS.npz", help="<layer>.inputs [n, K] and <layer>.weights [K, M] per layer.")
    ],
    network: Annotated[str, typer.Option("--network", metavar="NAME", help="Name of a network, or a layer CSV.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.npz", help="Statistics file to write.")],
    input_bits: Annotated[int, typer.Option("--input-bits", min=1, max=8)] = 8,
    weight_bits: Annotated[int, typer.Option("--weight-bits", min=1, max=8)] = 8,
) -> None:
    """Measure value statistics of a network's tensors; a problem names the file under workloads.statistics."""
    from imcevo.accuracy.statistics_file import measure as measured
    from imcevo.errors import UserError
    from imcevo.workload import load_network

    known = load_network(network, key="--network")
    content = measured(tensors, known, input_bits, weight_bits)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", file=out) from None
    typer.echo(f"{out}: add it to workloads.statistics of a problem")


def _row(summary: dict[str, Any]) -> list[str]:
    cells = [summary["network"], summary["family"], str(summary["n_layers"])]
    for quantity in ("macs", "parameters"):
        published = summary["published"]
        told = f"{published[quantity]:,} ({summary[f'{quantity}_deviation']:+.2%})" if published else "-"
        cells += [f"{summary[quantity]:,}", told]
    return cells


def _sources(summary: dict[str, Any]) -> str:
    published = summary["published"]
    if not published:
        return "no published figures"
    length = published["sequence_length"]
    counted = "counted" if published["attention_products_counted"] else "not counted"
    parts = [f"MACs: {published['macs_source']}", f"parameters: {published['source']}"]
    parts += [f"sequence length {length}"] if length else []
    parts += [f"attention products {counted} in the published MACs"] if summary["attention_macs"] else []
    return "; ".join(parts)
