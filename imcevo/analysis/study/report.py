"""One self-contained HTML file per study: opens anywhere, asks no network for anything."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from imcevo.analysis.study.figures import named
from imcevo.analysis.study.folder import StudyResults
from imcevo.analysis.study.report_text import captions, findings, how_made, limits
from imcevo.config import read_text
from imcevo.runs.files import write_atomically
from imcevo.study.run import STUDY

REPORT = "report.html"
_MOST_ROWS = 60
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; border-bottom: 1px solid #ccc; }
figure { margin: 1.5rem 0; } figure svg { max-width: 100%; height: auto; }
figcaption { color: #444; font-size: .92rem; }
table { border-collapse: collapse; font-size: .85rem; } td, th { padding: .2rem .6rem; text-align: right; }
th { border-bottom: 1px solid #888; } td:first-child, th:first-child { text-align: left; }
tr:nth-child(even) { background: #f6f6f6; } td { white-space: nowrap; }
pre { background: #f6f6f6; padding: 1rem; overflow-x: auto; font-size: .85rem; }
.wide { overflow-x: auto; } details { margin: .6rem 0; } summary { cursor: pointer; }
"""
# Nothing may be fetched, nothing may run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_report(results: StudyResults, tables: dict[str, pd.DataFrame], figures: Sequence[Path]) -> Path:
    """Write ``report.html`` into the study's folder; equal results are equal bytes.

    Args:
        tables: of `imcevo.analysis.study.folder.derive_tables`.
        figures: SVG files, in the order in which they appear.
    """
    name = results.manifest["study"]
    parts = [f"<h1>{html.escape(name)}: {html.escape(results.config.question)}</h1>", "<h2>Answer</h2>", "<ul>"]
    parts += [f"<li>{html.escape(line)}</li>" for line in findings(results, tables)]
    parts.append("</ul>")
    if "comparison" in tables:
        parts.append(_comparison(results, tables["comparison"]))
    parts.append("<h2>Figures</h2>")
    told = captions(results)
    for path in figures:
        drawing = _inlined(path.read_text("utf-8"), path.stem)
        caption = f"<figcaption>{html.escape(told[path.stem])}</figcaption>"
        parts.append(f'<figure id="{path.stem}">{drawing}{caption}</figure>')
    parts.append("<h2>Tables</h2><p>All of them in full precision, in SI units, as CSV files beside this report.</p>")
    parts += [_table(title, table) for title, table in tables.items() if title not in ("gaps", "suite")]
    parts += ["<h2>How it was made</h2>", "<ul>", *(f"<li>{html.escape(x)}</li>" for x in how_made(results)), "</ul>"]
    study = html.escape(read_text(results.folder / STUDY, what="a study file"))
    parts.append(f"<details><summary>The study file</summary><pre>{study}</pre></details>")
    parts += ["<h2>Limits</h2>", "<ul>", *(f"<li>{html.escape(line)}</li>" for line in limits(results)), "</ul>"]
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>{html.escape(name)}</title><style>{_STYLE}</style>"
    )
    text = f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"
    path = results.folder / REPORT
    write_atomically(path, text)
    return path


def _comparison(results: StudyResults, comparison: pd.DataFrame) -> str:
    """The first design over every other, in efficiency and in what designs are chosen by, a row per design."""
    quantities = ("TOPS_per_W", str(results.config.choice.metric))
    per_quantity = ["change", "95 % interval", "p (Holm)"]
    resolved = "told_apart" in comparison
    per_quantity += ["beyond the model's error"] * resolved
    n_seeds = len(results.config.seeds)
    rows = []
    before: dict[str, list[float]] = {}
    for (baseline, deployment), mine in comparison.groupby(["baseline", "deployment"], sort=False):
        by_quantity = mine.set_index("quantity")
        ratios = [float(ratio) for ratio in by_quantity.loc[list(quantities), "ratio"]]
        if before.setdefault(str(baseline), ratios) is not ratios and before[str(baseline)] == ratios:
            continue  # streamed weights: sharing the chip changes nothing
        cells = [str(baseline), "all together" if deployment == "suite" else "one at a time"]
        for name in quantities:
            row = by_quantity.loc[name].to_dict()
            if not row["seeds"]:
                cells += ["cannot run"] + [""] * (len(per_quantity) - 1)
                continue
            change, low, high = (100 * (row[side] - 1) for side in ("ratio", "low", "high"))
            cells += [f"{change:+.1f} %", f"{low:+.1f} to {high:+.1f}", f"{row['p_holm']:.2g}"]
            cells += ["yes" if row["told_apart"] else "no"] * resolved
        rows.append([*cells, f"{by_quantity['seeds'].iloc[0]} of {n_seeds}"])
    heads = ["against", "networks on the chip"]
    heads += [f"{named(name)}: {word}" for name in quantities for word in per_quantity] + ["seeds"]
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in heads)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    title = f"<p>Change by {html.escape(results.first)} against every other design, medians over seeds:</p>"
    return f'{title}<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _inlined(svg: str, name: str) -> str:
    """An SVG file as part of a page: without prolog and metadata, its ids its own."""
    drawing = svg[svg.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bid="', f'id="{name}-', drawing)
    drawing = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", drawing)
    return drawing.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)


def _table(title: str, table: pd.DataFrame) -> str:
    shown = table.head(_MOST_ROWS)
    head = "".join(f"<th>{html.escape(str(column)).replace('_', ' ')}</th>" for column in shown)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    cut = f"<p>The first {_MOST_ROWS} of {len(table)} rows.</p>" if len(table) > len(shown) else ""
    return (
        f"<details><summary>{html.escape(title)}.csv</summary>{cut}"
        f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div></details>'
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)
