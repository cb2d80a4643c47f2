"""Figure and table of the survey: model against measured, chips predicted without themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from imcevo.analysis.figures.style import CYCLE, GREY, LIGHT, MARKERS, figure, save
from imcevo.analysis.figures.validation import write_csv

_FAMILIES = {
    "sram_analog_8t": "analog SRAM", "sram_charge_10t1c": "charge SRAM", "sram_current_12t": "current SRAM",
    "sram_digital": "digital SRAM", "rram_1t1r": "RRAM", "flash_nor": "NOR flash",
}  # fmt: skip
_QUANTITIES = (
    ("energy_per_op_J", "energy of a 1-bit operation [fJ]", 1e-15), ("step_s", "time of a step [ns]", 1e-9),
)  # fmt: skip
_WITHIN = 3.0


def draw_survey(drawn: Figure, table: pd.DataFrame) -> None:
    """Model against measured, log-log, a mark per operating point, named by its chip's number in the survey.

    Args:
        table: of `imcevo.validate.survey.compare.survey_frame`; chips predicted without themselves where it has them.
    """
    panels = drawn.subplots(1, len(_QUANTITIES))
    own = "energy_per_op_J_left_out" in table
    way = "left_out" if own else "model"
    said = "model, scales fitted without the chip" if own else "model, shipped scales"
    for panel, (name, title, factor) in zip(panels, _QUANTITIES, strict=True):
        x, y = table[f"{name}_measured"] / factor, table[f"{name}_{way}"] / factor
        known = x.notna() & y.notna()
        for index, family in enumerate(dict.fromkeys(sorted(table["cell"]))):
            of = known & (table["cell"] == family)
            colour, marker = CYCLE[index % len(CYCLE)], MARKERS[index % len(MARKERS)]
            panel.plot(x[of], y[of], marker, color=colour, alpha=0.75, markersize=6, ls="none",
                       label=_FAMILIES.get(family, family))  # fmt: skip
        low, high = (bound([*x[known], *y[known]]) for bound in (min, max))
        ends = np.array([low / 2, high * 2])
        panel.plot(ends, ends, color=GREY, linewidth=1, zorder=0)
        for by in (1 / _WITHIN, _WITHIN):
            panel.plot(ends, by * ends, color=LIGHT, linewidth=1, zorder=0)
        for row in table.index[known]:
            panel.annotate(str(table["chip"][row]), (x[row], y[row]), xytext=(4, 3), textcoords="offset points",
                           fontsize=6, color=GREY)  # fmt: skip
        within = float((np.abs(np.log(y[known] / x[known])) <= np.log(_WITHIN)).mean())
        panel.set(xscale="log", yscale="log", xlim=ends, ylim=ends, xlabel=f"measured: {title}", ylabel=said)
        panel.set_title(f"{known.sum()} points, {100 * within:.0f} % within {_WITHIN:g} times (pale lines)", loc="left")
    handles, labels = panels[0].get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels))


def write_survey(folder: Path, table: pd.DataFrame) -> list[Path]:
    """``survey.csv``, ``survey.png`` and ``survey.svg`` into `folder`."""
    written = [write_csv(folder / "survey.csv", table)]
    with figure(11.0, 5.6) as drawn:
        draw_survey(drawn, table)
        written += save(drawn, folder, "survey")
    return written
