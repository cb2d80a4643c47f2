from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from imcevo.analysis.study.accelerators import measured_accelerators
from imcevo.analysis.study.folder import StudyResults, load_study_results, write_study_figures, write_study_tables
from imcevo.analysis.study.report import write_report
from imcevo.analysis.study.report_text import answers
from imcevo.errors import UserError
from imcevo.study.run import conduct
from tests.runs.small import fake_physical
from tests.study.studies import STUDY, write_study

WHOLE: dict[str, Any] = {
    "seeds": [1, 2],
    "accelerators": True,
    "budget": {"evaluations": 60},
    "designs": [*STUDY["designs"][:3], {"name": "seen", "networks": ["resnet18"]}, {"name": "for", "mix": "each"}],
    "mixes": [
        {"name": "even", "shares": {"resnet18": 1, "mobilebert": 1}},
        {"name": "text", "shares": {"resnet18": 1, "mobilebert": 9}},
    ],
    "shifts": [{"start": "even", "end": "text", "steps": 2}],
    "spread": {"concentration": 10.0, "draws": 50},
    "sensitivity": {"factor": 1.2},
    "uncertainty": {"energy_J": 1.5, "latency_s": 1.2, "area_m2": 1.2, "source": "a test's"},
}
FIGURES = {
    "gaps_suite", "gaps_alone", "efficiency", "mixes", "fronts", "attainment", "genes", "breakdown", "sensitivity",
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> StudyResults:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        fake_physical(patch)
        return load_study_results(conduct(write_study(folder, **WHOLE), out=folder / "out"))


@pytest.fixture(scope="module")
def report(results: StudyResults) -> Path:
    tables = write_study_tables(results)
    return write_report(results, tables, write_study_figures(results, tables))


class _Page(HTMLParser):
    """Tags and the addresses that a page would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data", "action"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def test_the_report_is_one_file_that_fetches_nothing(report: Path, results: StudyResults) -> None:
    text = report.read_text("utf-8")
    page = _Page(text)
    assert page.tags.count("figure") == page.tags.count("svg") == len(FIGURES)
    assert set(page.ids) >= FIGURES
    assert all(address.startswith(("#", "data:")) for address in page.addresses)
    assert "script" not in page.tags
    assert not re.search(r"url\((?!#)|@import", text)
    # Every reference inside the page has its one target.
    used = {address[1:] for address in page.addresses if address.startswith("#")}
    assert used | set(re.findall(r"url\(#(.*?)\)", text)) <= set(page.ids)
    assert "Is one chip enough?" in text
    assert "a test&#x27;s" in text  # the source of the uncertainty, escaped
    assert "not significantly worse" in text
    assert "joint against 4 designs for one network: " in text
    against = text[text.index("Change by joint against every other design") :].split("</table>")[0]
    assert against.count("all together") == results.suite["design"].nunique() - 1
    first = report.read_bytes()
    tables = write_study_tables(results)
    assert write_report(results, tables, write_study_figures(results, tables)).read_bytes() == first


def test_figures_are_there_in_both_kinds(report: Path) -> None:
    assert {path.stem for path in report.parent.glob("*.png")} == FIGURES
    assert {path.stem for path in report.parent.glob("*.svg")} == FIGURES
    assert all(path.stat().st_size > 5000 for path in report.parent.glob("*.svg"))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_the_report_in_a_browser(report: Path, tmp_path: Path) -> None:
    complaints, requests, _ = _opened(report, tmp_path)
    assert not complaints
    assert not requests
    # The same page with what must be noticed: a script that fails, an image from elsewhere; and one that says what is
    # visible. The policy that forbids them comes off the copy only.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", report.read_text("utf-8"))
    probe = (
        "<script>document.body.dataset.seen = JSON.stringify([...document.querySelectorAll('figure')].map(f => {"
        "const b = f.querySelector('svg').getBoundingClientRect(); return [f.id, b.width, b.height,"
        "f.querySelectorAll('path, use').length]}))</script>"
        '<img src="http://127.0.0.1:9/elsewhere.png"><script>no_such_function()</script></body>'
    )
    copy = tmp_path / "copy.html"
    copy.write_text(text.replace("</body>", probe), encoding="utf-8")
    complaints, requests, page = _opened(copy, tmp_path)
    assert any("no_such_function" in line for line in complaints)
    assert requests == {"http://127.0.0.1:9/elsewhere.png"}
    found = re.search(r'data-seen="(.*?)"', page)
    assert found is not None
    seen = json.loads(found[1].replace("&quot;", '"'))
    assert {name for name, *_ in seen} == FIGURES
    assert all(width > 300 and height > 150 and marks > 20 for _, width, height, marks in seen)


def _opened(page: Path, folder: Path) -> tuple[list[str], set[str], str]:
    """What the console said, what the page asked the network for (not the browser by itself), and the page."""
    log = folder / "net.json"
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}",
        "--enable-logging=stderr", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "</html>" in done.stdout
    events = json.loads(log.read_text("utf-8"))["events"]
    starts = [event["params"] for event in events if "initiator" in event.get("params", {})]
    asked = {start["url"] for start in starts if start["initiator"] != "not an origin"}
    return [line for line in done.stderr.splitlines() if "CONSOLE" in line], asked, done.stdout


def test_a_folder_that_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not the folder of a study: it has no study\.toml"):
        load_study_results(tmp_path)


def test_a_study_that_asks_less_leaves_no_old_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_physical(monkeypatch)
    less = {"seeds": [1], "budget": {"evaluations": 30}}
    folder = conduct(write_study(tmp_path, designs=STUDY["designs"][:2], **less), out=tmp_path / "out")
    write_study_tables(load_study_results(folder))
    assert {"gap_summary.csv", "comparison.csv", "fronts.csv"} <= {path.name for path in folder.glob("*.csv")}
    folder = conduct(write_study(tmp_path, designs=[{"name": "joint"}], **less), out=tmp_path / "out")
    results = load_study_results(folder)
    tables = write_study_tables(results)
    left = {path.stem for path in folder.glob("*.csv")}
    assert left == {"networks", "designs", "metrics", "objectives", "breakdown", "suite", "own_objective"}
    assert answers(results, tables) == []


def test_measured_accelerators_at_their_own_and_at_eight_bits() -> None:
    table = measured_accelerators()
    # Hiddenite, 8-bit inputs and 1-bit weights: 124 TOPS/W per 1-bit operation.
    hiddenite = table[table["paper"].str.startswith("Hiddenite")].iloc[0]
    assert hiddenite["TOPS_per_W"] == pytest.approx(124 / 8)
    assert hiddenite["TOPS_per_W_8bit"] == pytest.approx(124 / 64)
    assert not table.duplicated().any()
    assert table["chip"].nunique() >= 25
