"""A study's folder: its measured tables read, all other tables, figures and the report made from them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imcevo.analysis.figures.breakdown import draw_side_by_side
from imcevo.analysis.figures.placement import draw_placement, placed_on_fronts
from imcevo.analysis.figures.style import figure, save
from imcevo.analysis.front_quality import front_quality
from imcevo.analysis.study.accelerators import measured_accelerators
from imcevo.analysis.study.certified import certified_comparison, regret_summary
from imcevo.analysis.study.claims import gains_over_single_networks
from imcevo.analysis.study.figures import (
    draw_efficiency,
    draw_gaps,
    draw_genes,
    draw_mixes,
    draw_tornado,
    draw_unseen,
)
from imcevo.analysis.study.front_figures import draw_attainment, draw_certified, draw_fronts, fronts_of
from imcevo.analysis.study.mixes import mix_table, risk_table
from imcevo.analysis.study.tables import (
    comparison_with_baselines,
    gap_summary,
    gap_table,
    own_objective_table,
    suite_table,
    unseen_table,
    with_products,
)
from imcevo.analysis.uncertainty import PHYSICAL, value_factors
from imcevo.config import read_text
from imcevo.errors import UserError
from imcevo.problem import HypervolumeBox
from imcevo.study.config import StudyConfig, read_study_config
from imcevo.study.run import MANIFEST, STUDY, remove_others, write_table

DERIVED = (
    "suite", "gaps", "gap_summary", "comparison", "own_objective", "unseen", "mixes", "mix_risk", "front_quality",
    "certified_comparison", "certified_regret", "gains", "accelerators",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class StudyResults:
    """The folder of a conducted study; its tables are read, or made, when first used.

    Attributes:
        box: of the study's problem, for hypervolumes.
    """

    folder: Path
    config: StudyConfig
    box: HypervolumeBox

    def table(self, name: str) -> pd.DataFrame:
        """``<name>.csv`` of the folder, as a frame; a row without result holds NaN.

        Raises:
            UserError: missing or damaged.
        """
        path = self.folder / f"{name}.csv"
        try:
            return pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise UserError(f"cannot be read: {error}", file=path) from None

    def has(self, name: str) -> bool:
        """Whether the study has such a table."""
        return (self.folder / f"{name}.csv").exists()

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """``metrics.csv`` with products and energy efficiency."""
        return with_products(self.table("metrics"), self.table("networks"))

    @cached_property
    def designs(self) -> pd.DataFrame:
        """``designs.csv``."""
        return self.table("designs")

    @cached_property
    def networks(self) -> list[str]:
        """Names, in the order of the suite."""
        return [str(name) for name in self.table("networks")["network"]]

    @cached_property
    def suite(self) -> pd.DataFrame:
        """Every design and seed over the suite, see `suite_table`."""
        return suite_table(self.metrics, self.config.choice.aggregate)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """See `gap_table`."""
        return gap_table(self.metrics, self.designs)

    @property
    def first(self) -> str:
        """The design that is held against all others."""
        return str(self.designs["design"].iloc[0])

    @property
    def sensitivity_factor(self) -> float:
        """By which constants were moved; NaN where none were."""
        asked = self.config.sensitivity
        return math.nan if asked is None else asked.factor

    @property
    def uncertainty(self) -> dict[str, float] | None:
        """Column -> factor within which 68 % of the model's predictions of chips fall: the study's, else as measured.

        None for a profile whose error on chips is not known.
        """
        if self.manifest["profile"] != PHYSICAL:
            return None
        stated = self.config.uncertainty
        return value_factors() if stated is None else stated.model_dump(exclude={"source"})

    @property
    def manifest(self) -> dict[str, Any]:
        """``study.json``."""
        text = read_text(self.folder / MANIFEST, what="the manifest of a study")
        return dict(json.loads(text))


def load_study_results(folder: Path | str) -> StudyResults:
    """The results of a conducted study.

    Raises:
        UserError: no such folder, or none of a study.
    """
    path = Path(folder)
    if not (path / STUDY).exists():
        raise UserError(f"is not the folder of a study: it has no {STUDY}", file=path)
    config = read_study_config(path / STUDY)
    manifest = json.loads(read_text(path / MANIFEST, what="the manifest of a study"))
    box = manifest["hypervolume"]
    return StudyResults(
        path, config, HypervolumeBox(np.array(box["ideal"]), np.array(box["reference"]), bool(box["log10"]))
    )


def derive_tables(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Every table that follows from the measured ones, by name; empty ones left out."""
    config, metric = results.config, results.config.choice.metric
    tables = {
        "suite": results.suite,
        "gaps": results.gaps,
        "gap_summary": gap_summary(results.gaps),
        "comparison": comparison_with_baselines(results.suite, results.designs, results.uncertainty),
        "own_objective": own_objective_table(results.suite, metric),
        "unseen": unseen_table(results.metrics, results.designs, dict.fromkeys((str(metric), "energy_J"))),
    }
    mixes = config.all_mixes()
    if mixes:
        tables["mixes"] = mix_table(results.metrics, mixes, metric)
    if config.spread is not None:
        tables["mix_risk"] = risk_table(results.metrics, mixes, metric, config.spread)
    if results.has("fronts"):
        fronts = results.table("fronts")
        tables["front_quality"] = front_quality(fronts, list(fronts.columns[2:]), results.box)
    if results.has("certified"):
        tables["certified_comparison"] = certified_comparison(results.table("certified"))
        tables["certified_regret"] = regret_summary(results.table("certified_searches"))
    if len(tables["comparison"]):
        tables["gains"] = gains_over_single_networks(
            tables["comparison"], results.designs, tables.get("certified_comparison"), metric
        )
    if config.accelerators:
        tables["accelerators"] = measured_accelerators()
    return {name: table for name, table in tables.items() if len(table)}


def write_study_tables(results: StudyResults) -> dict[str, pd.DataFrame]:
    """Write `derive_tables` beside the measured ones; those of an earlier version of the study go."""
    tables = derive_tables(results)
    for name, table in tables.items():
        write_table(results.folder, name, table)
    remove_others(results.folder, DERIVED, tables)
    return tables


def write_study_figures(results: StudyResults, tables: dict[str, pd.DataFrame]) -> list[Path]:
    """Every figure that the tables allow, as PNG and SVG; returns the SVG files in the order of the report."""
    metric, suite = results.config.choice.metric, results.suite
    written: list[Path] = []

    def drawing(name: str, width: float, height: float, draw: Callable[[Figure], None]) -> None:
        with figure(width, height) as drawn:
            draw(drawn)
            written.append(save(drawn, results.folder, name)[1])

    n_designs = len(set(suite["design"]))
    if "gap_summary" in tables:
        for how in ("suite", "alone"):
            draw = partial(draw_gaps, summary=tables["gap_summary"], metric=metric, networks=results.networks, how=how)
            drawing(f"gaps_{how}", 4.5 + 1.0 * len(results.networks), 1.8 + 0.42 * n_designs, draw)
    beside = tables.get("accelerators")
    marked = suite.merge(results.designs[["design", "seed", "node_nm"]], on=["design", "seed"], how="left")
    drawing("efficiency", 11.0 if beside is not None else 7.5, 2.2 + 0.36 * n_designs,
            lambda drawn: draw_efficiency(drawn, marked, beside))  # fmt: skip
    if "unseen" in tables:
        unseen = tables["unseen"]
        n_bars = int((unseen["unseen"] & (unseen["quantity"] == metric)).sum())
        drawing("unseen", 9.0, 2.0 + 0.32 * n_bars, lambda drawn: draw_unseen(drawn, unseen, metric, results.first))
    if "mixes" in tables:
        drawing("mixes", 10.5, 5.0, lambda drawn: draw_mixes(drawn, tables["mixes"]))
    if results.has("fronts"):
        fronts = results.table("fronts")
        objectives = [str(name) for name in fronts.columns[2:]]
        by_design, marks = fronts_of(fronts, objectives), results.table("objectives")
        if len(objectives) > 1 and by_design:
            width = 2.0 + 4.2 * len(objectives) * (len(objectives) - 1) / 2
            drawing("fronts", width, 5.4, lambda drawn: draw_fronts(drawn, by_design, objectives, marks))
            drawing("attainment", width, 5.2, lambda drawn: draw_attainment(drawn, by_design, objectives))
    if results.has("placement"):
        placement = results.table("placement")
        if placed := placed_on_fronts(placement):
            drawing("placement", 10.0, 0.8 + 4.6 * len(placed), lambda drawn: draw_placement(drawn, placement, placed))
    drawing("genes", 13.0, 5.6, lambda drawn: draw_genes(drawn, results.designs, suite, metric))
    rows = results.table("breakdown")
    pairs = [(str(row["design"]).replace(" ", "\n", 1), row.drop(["design", "seed"])) for _, row in rows.iterrows()]
    title = "what the designs are made of (median seed, whole suite)"
    drawing("breakdown", 14.0, 2.9 + 0.27 * len(pairs) * len(results.networks),
            lambda drawn: draw_side_by_side(drawn, pairs, title))  # fmt: skip
    if results.has("sensitivity"):
        changes, factor = results.table("sensitivity"), results.sensitivity_factor
        drawing("sensitivity", 12.5, 6.5, lambda drawn: draw_tornado(drawn, changes, metric, results.first, factor))
    if "certified_comparison" in tables:
        table = tables["certified_comparison"]
        drawing("certified", 12.0, 1.6 + 0.26 * len(table) / table["quantity"].nunique(),
                lambda drawn: draw_certified(drawn, table))  # fmt: skip
    return written
