"""`imcevo bench`."""

from __future__ import annotations

from imcevo.cli.options import Json


def bench(
    as_json: Json = False,
) -> None:
    """Measure the speed of kernels, evaluation and search on this machine."""
    from imcevo.bench.measure import MEANINGS, measure
    from imcevo.cli.output import print_json, print_table

    figures = measure()._asdict()
    if as_json:
        print_json(figures)
    else:
        rows = [
            [name, MEANINGS[name], f"{value:.2f}" if name == "start_up_s" else f"{value:,.0f}"]
            for name, value in figures.items()
        ]
        print_table("Speed", ["figure", "meaning", "value"], rows, text_columns=2)
