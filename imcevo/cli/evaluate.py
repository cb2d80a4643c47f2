"""``imcevo evaluate``: one design, every number explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from imcevo.cli.options import Design, Json
from imcevo.cli.output import print_json, print_table
from imcevo.units import engineering, unit_suffix

_CONFIDENCE = {
    "exact": "exact: no ADC",
    "measured": "measured tensors",
    "low": "low: stated distributions",
}
_EFFICIENCIES = {
    "throughput_per_s": "inferences", "TOPS": "operations", "TOPS_per_W": "per power", "TOPS_per_mm2": "per area",
    "power_density_W_per_m2": "power density",
}


def evaluate(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.toml", help="Problem file.")],
    design: Design,
    json: Json = False,
    monte_carlo: Annotated[
        bool, typer.Option("--monte-carlo", help="Execute every layer bit by bit on a sample, beside the closed form.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add equation, inputs and source of every unit cost.")
    ] = False,
) -> None:
    """Evaluate one design: energy, latency, area, their breakdown, repairs and violations."""
    from imcevo.config import read_toml
    from imcevo.problem import load_problem
    from imcevo.problem.designs import evaluation_report

    question = load_problem(problem)
    report = evaluation_report(
        question, read_toml(design, what="a design file"), explain=explain, monte_carlo=monte_carlo, file=design
    )
    if json:
        print_json(report)
    else:
        _print_report(report)


def _print_report(report: Mapping[str, Any]) -> None:
    _print_results(report)
    for title, part, unit in (
        ("Energy by component", "energy_J", "J"),
        ("Latency by binding resource", "latency_s", "s"),
    ):
        _print_by_network(title, report["breakdown"][part], unit)
    area = report["breakdown"]["area_m2"]
    _print_by_network("Area by component", {"chip": area}, "m2")
    if report["weight_loading"]:
        _print_loading(report["weight_loading"])
    if report["repairs"]:
        rows = [
            [repair["key"], str(repair["given"]), str(repair["used"]), repair["reason"]]
            for repair in report["repairs"]
        ]
        print_table("Repaired values", ["key", "given", "used", "because"], rows, text_columns=4)
    notes = [
        [name, sentence] for name, sentence in report["notes"].items() if name not in report["violations"]
    ]
    if notes:
        print_table("Notes", ["about", "note"], notes, text_columns=2)
    if "monte_carlo" in report:
        _print_monte_carlo(report["monte_carlo"])
    for term in report.get("explain", ()):
        _print_term(term)
    for warning in report["warnings"]:
        typer.echo(f"warning: {warning}")
    if report["feasible"]:
        typer.echo("feasible: every constraint is met")
    for name in report["violations"]:
        typer.echo(f"violated: {name}: {report['notes'][name]}")


def _print_results(report: Mapping[str, Any]) -> None:
    rows = []
    for name, results in report["networks"].items():
        energy, latency = results["energy_J"], results["latency_s"]
        rows.append([
            name, engineering(energy, "J"), engineering(latency, "s"), engineering(results["power_W"], "W"),
            engineering(energy * latency, "Js"),
        ])  # fmt: skip
    cost = "" if report["cost"] is None else f", cost {engineering(report['cost'], report['cost_unit'])}"
    title = f"Per inference, chip of {engineering(report['area_m2'], 'm2')}{cost}"
    print_table(title, ["network", "energy", "latency", "power", "energy x delay"], rows)
    _print_efficiencies(report["networks"])
    _print_snr(report["networks"])


def _print_efficiencies(networks: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [
        [name, *(engineering(results[quantity], unit_suffix(quantity)) for quantity in _EFFICIENCIES)]
        for name, results in networks.items()
    ]
    title = "Throughput and efficiency, 2 operations per MAC at the problem's precision"
    print_table(title, ["network", *_EFFICIENCIES.values()], rows)


def _print_snr(networks: Mapping[str, Mapping[str, Any]]) -> None:
    known = {name: results for name, results in networks.items() if results["snr_dB"] is not None}
    if not known:
        return
    rows = [
        [
            name, f"{results['snr_dB']:.1f} dB", _CONFIDENCE[results["snr_confidence"]],
            results["limiting_layer"] or "-",
            "-" if results["limiting_layer"] is None else f"{results['limiting_layer_snr_dB']:.1f} dB",
        ]
        for name, results in known.items()
    ]  # fmt: skip
    print_table("Compute-SNR", ["network", "SNR", "confidence", "worst layer", "its SNR"], rows, text_columns=4)


def _print_monte_carlo(layers: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [
            layer["network"], layer["layers"][0], str(len(layer["layers"])), layer["statistics"], str(layer["K"]),
            f"{layer['vectors']} x {layer['columns']}", f"{layer['closed_form_dB']:.1f} dB",
            f"{layer['monte_carlo_dB']:.1f} dB",
        ]
        for layer in layers
    ]  # fmt: skip
    header = ["network", "layer", "alike", "tensors", "K", "vectors x columns", "closed form", "Monte Carlo"]
    print_table("Layers executed bit by bit", header, rows, text_columns=2)


def _print_loading(loading: Mapping[str, Mapping[str, Any]]) -> None:
    rows = []
    for name, weights in loading.items():
        energy, time, lifetime = weights["energy_J"], weights["time_s"], weights["lifetime_inferences"]
        rows.append([
            name, weights["how"].replace("_", " "),
            "part of it" if energy is None else engineering(energy, "J"),
            "part of it" if time is None else engineering(time, "s"),
            "not worn" if lifetime is None else f"{lifetime:.3g} inferences",
        ])  # fmt: skip
    header = ["network", "weights loaded", "energy", "time", "cells endure"]
    print_table("Weights", header, rows, text_columns=2)


def _print_by_network(title: str, parts: Mapping[str, Mapping[str, float]], unit: str) -> None:
    """Components as rows, largest first, a column per network with its share."""
    networks = list(parts)
    components = list(dict.fromkeys(name for network in networks for name in parts[network]))
    totals = {network: sum(parts[network].values()) for network in networks}

    def weight(component: str) -> float:
        return sum(parts[network].get(component, 0.0) / totals[network] for network in networks)

    rows = [
        [
            component,
            *(_share(parts[network].get(component, 0.0), totals[network], unit) for network in networks),
        ]
        for component in sorted(components, key=weight, reverse=True)
        if weight(component) > 0
    ]
    rows.append(["total", *(engineering(totals[network], unit) for network in networks)])
    print_table(title, ["", *networks], rows)


def _share(value: float, total: float, unit: str) -> str:
    return f"{engineering(value, unit, 3)} {100 * value / total:4.1f}%" if value else "-"


def _print_term(term: Mapping[str, Any]) -> None:
    unit = "" if term["unit"] == "1" else term["unit"]
    inputs = [f"{name} = {_told(value)}" for name, value in term["inputs"].items()]
    typer.echo(f"{term['name']} = {engineering(term['value'], unit)}    {term['equation']}")
    typer.echo(f"    with {', '.join(inputs)}")
    typer.echo(f"    source: {term['source']}\n")


def _told(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
