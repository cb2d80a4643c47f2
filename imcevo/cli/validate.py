"""`imcevo validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imcevo.cli.options import Json

validate = typer.Typer(help="Compare the model with reference figures.", no_args_is_help=True)

_BY_CELL = ("energy_median_factor", "energy_mean_factor", "within_3x", "step_time_median_factor")
Designs = Annotated[
    Path | None, typer.Option("--data", metavar="FILE", help="CSV of designs [default: the shipped runs].")
]


@validate.command()
def published(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of points [default: the shipped sample].")
    ] = None,
    json: Json = False,
) -> None:
    """The published profile against evaluated points of arXiv 2603.03880."""
    _tell("published", _published(data), json)


@validate.command()
def zigzag(data: Designs = None, json: Json = False) -> None:
    """ZigZag-IMC's equations against its macros: energy, clock, area."""
    _tell("zigzag", _zigzag(data), json)


@validate.command()
def accelforge(data: Designs = None, json: Json = False) -> None:
    """AccelForge's equations against its macros: energy, area."""
    _tell("accelforge", _accelforge(data), json)


@validate.command()
def neurosim(data: Designs = None, json: Json = False) -> None:
    """NeuroSim's equations against its sub-arrays: area, energy, read latency."""
    _tell("neurosim", _neurosim(data), json)


@validate.command()
def survey(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV of chips in the survey's form [default: the shipped half].")
    ] = None,
    json: Json = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a table and a figure of its chips.")] = None,
) -> None:
    """The physical profile against measured chips: energy, step time, density; a regression beside."""
    _tell("survey", _survey(data), json)
    _tell_written([] if out is None else _write_survey(out, data), json)


@validate.command()
def silicon(
    data: Annotated[
        Path | None, typer.Option(metavar="FILE_OR_FOLDER", help="Chip TOML, or a folder [default: those shipped].")
    ] = None,
    json: Json = False,
) -> None:
    """The physical profile against measured chips: energy, throughput, area; with chips left out of every fit."""
    _tell("silicon", _silicon(data), json)


@validate.command()
def snr(json: Json = False) -> None:
    """Closed-form compute-SNR against bit-exact Monte Carlo, and against the accuracy of small trained networks."""
    _tell("snr", _snr(), json)


@validate.command()
def profiles(json: Json = False) -> None:
    """The published and the physical profile on the same random designs: do they rank energies alike?"""
    _tell("profiles", _profiles(), json)


@validate.command(name="all")
def everything(
    json: Json = False,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write tables and figures of the validation.")] = None,
) -> None:
    """Every comparison, on the shipped data; JSON by name."""
    reports = {
        "published": _published(None), "zigzag": _zigzag(None), "accelforge": _accelforge(None),
        "neurosim": _neurosim(None), "survey": _survey(None), "silicon": _silicon(None), "profiles": _profiles(),
        "snr": _snr(),
    }  # fmt: skip
    written = [] if out is None else _write(out, reports)
    if json:
        from imcevo.cli.output import print_json

        print_json(reports)
        return
    for name, report in reports.items():
        _tell(name, report, json=False)
    _tell_written(written, json)


def _tell_written(paths: list[Path], json: bool) -> None:
    for path in () if json else paths:
        typer.echo(f"wrote {path}")


def _write(folder: Path, reports: dict[str, Any]) -> list[Path]:
    from imcevo.analysis.figures.validation import write_validation
    from imcevo.runs.files import make_folder
    from imcevo.validate.published.profiles import agreement_rows

    make_folder(folder)
    return [
        *write_validation(folder, reports["silicon"], reports["profiles"], agreement_rows()),
        *_write_survey(folder, None),
    ]


def _write_survey(folder: Path, data: Path | None) -> list[Path]:
    from imcevo.analysis.figures.survey import write_survey
    from imcevo.runs.files import make_folder
    from imcevo.validate.survey.compare import survey_frame
    from imcevo.validate.survey.data import read_survey

    make_folder(folder)
    return write_survey(folder, survey_frame(None if data is None else read_survey(data)))


def _profiles() -> dict[str, Any]:
    from imcevo.validate.published.profiles import validate_profiles

    return validate_profiles()


def _published(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.published.compare import validate_published
    from imcevo.validate.published.points import read_points, sample_points

    return validate_published(sample_points() if data is None else read_points(data), file=data)


def _survey(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.survey.compare import validate_survey
    from imcevo.validate.survey.data import read_survey

    return validate_survey(None if data is None else read_survey(data))


def _snr() -> dict[str, Any]:
    from imcevo.validate.snr import validate_snr

    return validate_snr()


def _zigzag(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.peers.zigzag import read_designs, validate_zigzag

    return validate_zigzag(read_designs(data))


def _accelforge(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.peers.accelforge import read_macros, validate_accelforge

    return validate_accelforge(read_macros(data))


def _neurosim(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.peers.neurosim import read_subarrays, validate_neurosim

    return validate_neurosim(read_subarrays(data))


def _silicon(data: Path | None) -> dict[str, Any]:
    from imcevo.validate.silicon.compare import validate_silicon

    return validate_silicon(data)


def _tell(name: str, report: dict[str, Any], json: bool) -> None:
    from imcevo.cli.output import print_json

    if json:
        print_json(report)
    elif name == "published":
        _print_published(report)
    elif name == "snr":
        _print_snr(report)
    elif name == "survey":
        _print_survey(report)
    elif name == "silicon":
        from imcevo.cli._silicon import print_silicon

        print_silicon(report)
    elif name == "profiles":
        from imcevo.cli._silicon import print_profiles

        print_profiles(report)
    else:
        _print_peer(name, report)


def _print_peer(name: str, report: dict[str, Any]) -> None:
    from imcevo.cli.output import print_table

    rows = []
    for quantity in (key.removesuffix("_median") for key in report if key.endswith("_median")):
        figures = [f"{100 * report[f'{quantity}_{figure}']:.3f} %" for figure in ("median", "p95")]
        rows.append([quantity, *figures, *_verdict(report, f"{quantity}_median", "<= {:.0%}")])
    rank = report["energy_spearman"]
    rows.append(
        ["energy, Spearman", "-" if rank is None else f"{rank:.4f}", "", *_verdict(report, "energy_spearman", ">= {}")]
    )
    title = {"zigzag": "ZigZag-IMC", "accelforge": "AccelForge", "neurosim": "NeuroSim"}[name]
    header = ["quantity", "median", "95 %", "target of the median", ""]
    print_table(f"{title}: relative errors on {report['points']} designs", header, rows)
    for design in report["left_out"]:
        typer.echo(f"left out, no published constants: {design}")


def _verdict(report: dict[str, Any], figure: str, form: str) -> list[str]:
    if figure not in report["targets"]:
        return ["", ""]
    target = report["targets"][figure]
    return [form.format(target["target"]), "reached" if target["passed"] else "missed"]


def _print_snr(report: dict[str, Any]) -> None:
    from imcevo.cli.output import print_table
    from imcevo.validate.snr import AT_LEAST

    rows = [
        [name, f"{report[name]:.4g}", f"{'>=' if name in AT_LEAST else '<='} {target['target']}",
         "reached" if target["passed"] else "missed"]
        for name, target in report["targets"].items()
    ]  # fmt: skip
    points = f"{report['points_0_20']} points, {report['layers_points_0_20']} of trained layers, 0 to 20 dB"
    print_table(f"Compute-SNR: closed form against Monte Carlo ({points})", ["figure", "value", "target", ""], rows)


def _print_survey(report: dict[str, Any]) -> None:
    from imcevo.cli.output import print_table
    from imcevo.validate.survey.compare import AT_LEAST

    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    rows = []
    for name, interval in report["intervals"].items():
        target = report["targets"].get(name)
        rows.append([
            name, shown(report[name]), "-" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}",
            *(shown(report[kind].get(name)) if kind in report else "" for kind in ("in_sample", "uncalibrated")),
            f"{'>=' if name in AT_LEAST else '<='} {target['target']}" if target else "",
            ("reached" if target["passed"] else "missed") if target else "",
        ])  # fmt: skip
    title = f"{report['points']} operating points of {report['chips']} chips, predicted with {report['predicted_with']}"
    print_table(title, ["figure", "value", "5 to 95 %", "in sample", "uncalibrated", "target", ""], rows)
    rows = [
        [cell, str(figures["points"]), *(shown(figures[name]) for name in _BY_CELL)]
        for cell, figures in report["compute_models"].items()
    ]
    print_table("By bit cell", ["bit cell", "points", *_BY_CELL], rows)
    for kind in ("left_out", "flagged"):
        for line in report[kind]:
            typer.echo(f"{kind.replace('_', ' ')}: {line}")


def _print_published(report: dict[str, Any]) -> None:
    from imcevo.cli.output import print_table

    rows = []
    for name, figures in report.items():
        if name.endswith("_nodes"):
            rows += [_row(f"{name.removesuffix('_nodes')}, {node} nm", other) for node, other in figures.items()]
            continue
        rows.append(_row(f"{name}, 32 nm", figures))
        rows += [_row(f"  {network}", other) for network, other in figures["networks"].items()]
        missed = figures["published_optimum_missed"]
        if missed["points"]:
            rows.append(_row(f"  without {missed['points']} where the published search missed", missed["others"]))
    header = ["points of", "points", "latency exact", "area median", "95 %", "energy median", "95 %", "Spearman"]
    print_table("Published profile: relative errors", header, rows)


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    shares = ("latency_exact_share", "area_median", "area_p95", "energy_median", "energy_p95")
    rank = figures["energy_spearman"]
    return [
        name, str(figures["points"]), *(f"{100 * figures[key]:.2f} %" for key in shares),
        "-" if rank is None else f"{rank:.4f}",
    ]  # fmt: skip
