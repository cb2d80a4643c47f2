from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.study.studies import STUDY, write_study

SMALL = {"seeds": [1, 2], "budget": {"evaluations": 40}, "designs": STUDY["designs"][:2]}


def test_the_last_line_is_the_folder_and_json_is_one_object(run: Run, tmp_path: Path) -> None:
    write_study(tmp_path, **SMALL)
    code, out, err = run("compare", tmp_path / "study.toml", "--out", tmp_path / "first")
    assert code == 0, err
    assert out.splitlines()[-1] == str(tmp_path / "first")
    assert "joint against the single-network designs" in out
    assert "8 of 8 searches" in err
    assert (tmp_path / "first" / "report.html").exists()
    code, out, err = run(
        "compare", tmp_path / "study.toml", "--out", tmp_path / "second", "--from-runs", tmp_path / "first", "--json"
    )
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["folder"] == str(tmp_path / "second")
    assert {row["baseline"] for row in told["comparison"]} == {"specialised resnet18", "specialised mobilebert"}
    for path in sorted((tmp_path / "first").glob("*.csv")):
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    code, out, err = run("compare", tmp_path / "study.toml", "--out", tmp_path / "first", "--quiet")
    assert (code, out, err) == (0, f"{tmp_path / 'first'}\n", "")


def test_mistakes_are_one_line(run: Run, tmp_path: Path) -> None:
    write_study(tmp_path, **SMALL)
    text = (tmp_path / "study.toml").read_text().replace("edap_Jsm2", "speed")
    (tmp_path / "study.toml").write_text(text)
    code, out, err = run("compare", tmp_path / "study.toml", "--out", tmp_path / "out")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "choice.metric: got 'speed'" in err
    assert not (tmp_path / "out").exists()
    code, _, err = run("compare", tmp_path / "none.toml")
    assert code == 2
    assert "no such file" in err
