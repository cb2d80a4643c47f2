"""Figure and table of the survey."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from imcevo.analysis.figures.style import figure
from imcevo.analysis.figures.survey import draw_survey, write_survey
from imcevo.validate.survey.compare import survey_frame


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return survey_frame()


def test_every_point_is_drawn_and_those_within_three_times_are_counted(frame: pd.DataFrame) -> None:
    with figure(11.0, 5.6) as drawn:
        draw_survey(drawn, frame)
        energy, time = drawn.axes
    x = [value for line in energy.lines if line.get_linestyle() == "None" for value in line.get_xdata()]
    assert sorted(x) == pytest.approx(sorted(frame["energy_per_op_J_measured"] * 1e15))
    ratio = frame["energy_per_op_J_left_out"] / frame["energy_per_op_J_measured"]
    within = ((ratio <= 3) & (ratio >= 1 / 3)).mean()
    assert energy.get_title("left") == f"{len(frame)} points, {100 * within:.0f} % within 3 times (pale lines)"
    assert time.get_title("left").startswith(f"{frame['step_s_measured'].notna().sum()} points")


def test_chips_of_a_user_are_predicted_with_the_shipped_scales(frame: pd.DataFrame, tmp_path: Path) -> None:
    own = frame.drop(columns=[name for name in frame if name.endswith("_left_out")])
    written = write_survey(tmp_path, own)
    assert [path.name for path in written] == ["survey.csv", "survey.png", "survey.svg"]
    read = pd.read_csv(tmp_path / "survey.csv")
    assert list(read.columns) == list(own.columns)
    assert read["energy_per_op_J_model"].to_numpy() == pytest.approx(own["energy_per_op_J_model"].to_numpy(), rel=1e-4)
    assert "shipped scales" in (tmp_path / "survey.svg").read_text("utf-8")
