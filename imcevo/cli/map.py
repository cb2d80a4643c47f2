"""``imcevo map``: where every layer of a network runs on one design, and how far that is from the best."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imcevo.cli.options import Design, Json


def map_(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.toml", help="Problem file.")],
    design: Design,
    network: Annotated[str, typer.Option("--network", metavar="NAME", help="A network of the problem.")],
    policy: Annotated[
        str | None, typer.Option("--policy", help="greedy, evolved or exact [the problem's].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Map one network: factors, utilisation, traffic, energy, latency, what binds, distance to the best mapping."""
    from imcevo.cli.output import print_json, print_table
    from imcevo.config import read_toml
    from imcevo.problem import load_problem
    from imcevo.problem.mapping_report import mapping_report
    from imcevo.units import engineering

    given = read_toml(design, what="a design file")
    report = mapping_report(load_problem(problem), given, network, policy, file=design)
    if as_json:
        print_json(report)
        return
    rows, parts = [], set()
    for row in report["layers"]:
        f, used, distance = row["factors"], row["utilisation"], row["distance"]
        on_arrays = f["unit"] == 0
        split = [" ".join(str(f[f"{mesh}_{d}"]) for d in "kmgv") for mesh in ("macro", "tile", "group")]
        parts |= {row["part"]}
        rows.append([
            row["part"], f"{row['count']} x {row['layer']}",
            f"{f['rows_k']} x {f['cols_m']} x {f['pack_g']}" if on_arrays else "digital unit",
            *(split if on_arrays else ["", "", ""]), f"{f['order']}/{f['slabs']}" if on_arrays else "",
            f"{100 * used:.0f} %" if used is not None else "", str(row["duplicates"]),
            engineering(row["dram_bits"], "b", 3), engineering(row["glb_bits"], "b", 3),
            engineering(row["energy_J"], "J", 3), engineering(row["latency_s"], "s", 3), row["binds"],
            f"{100 * distance:.1f} %" if distance is not None else "-",
        ])  # fmt: skip
    header = [
        "part", "layer", "array k x m x g", "macros kmgv", "tiles kmgv", "groups kmgv", "order/slabs", "cells used",
        "copies", "DRAM", "buffer", "energy", "latency", "binds", "above least E x L",
    ]  # fmt: skip
    if len(parts) == 1:  # all tiles are alike, or the network uses one kind
        header, rows = header[1:], [row[1:] for row in rows]
    title = (
        f"{report['network']}, policy {report['policy']}: {engineering(report['energy_J'], 'J')}, "
        f"{engineering(report['latency_s'], 's')} per inference"
    )
    print_table(title, header, rows)
