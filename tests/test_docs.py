"""The documentation: links lead somewhere, commands and files exist, pages for newcomers stay plain."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from imcevo.cli import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "results" / "reference" / "README.md",
         *sorted(DOCS.rglob("*.md"))]  # fmt: skip
PLAIN = sorted([*(DOCS / "start").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
README_WORDS, SENTENCE_WORDS = 900, 35

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# A file of the repository in text or code, as far as its name can be told from prose around it.
REPOSITORY_PATH = re.compile(
    r"\b(?:imcevo|problems|experiments|results|tests|docs)/[\w./<>*-]*\w\.(?:py|toml|csv|md|png|npz|html)\b"
)
MODULE = re.compile(r"python -m ((?:tests|experiments)(?:\.\w+)+)")
# In code: between backticks, or on a line of its own, indented or not. Comments and what follows a pipe are left out.
COMMAND = re.compile(r"(?:^ *|`|bin/)imcevo ([a-z][^`\n|#]*)", re.MULTILINE)
PLACEHOLDER = re.compile(r"<[^>]*>|NAME")
MADE_BY_RUNS = ("results/runs/", "results/studies/")  # folders that commands write, in no checkout


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as GitHub makes them."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text_of(page)), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def broken_links(page: Path) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (fragment and fragment not in anchors(file)):
            yield target


def missing_files(text: str) -> Iterator[str]:
    """Files of the repository that the text names and that do not exist; a placeholder stands for any name."""
    for path in REPOSITORY_PATH.findall(text):
        if not path.startswith(MADE_BY_RUNS) and not any(ROOT.glob(PLACEHOLDER.sub("*", path))):
            yield path


def unknown_commands(text: str) -> Iterator[str]:
    """Commands and options that the command line does not have."""
    for line in COMMAND.findall(text.replace("\\|", "/")):
        words = re.findall(r'"[^"]*"|[^\s\[\]]+', line)
        root: Any = typer.main.get_command(app)
        command = root
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        named_wrongly = hasattr(command, "commands") and words and words[0][0].islower()
        options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        unknown = [word for word in words if word.startswith("--") and word not in options]
        if command is root or named_wrongly or (unknown and not hasattr(command, "commands")):
            yield f"imcevo {line.strip()}"


def long_sentences(text: str) -> Iterator[str]:
    """Sentences of paragraphs and list items; code and tables are not prose."""
    prose = re.sub(r"^\|.*$", "", FENCE.sub("", text), flags=re.MULTILINE)
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n#+ .*", prose):
        text_alone = LINK.sub(lambda match: match[0].partition("]")[0].lstrip("!["), " ".join(block.split()))
        for sentence in re.split(r"(?<=[.!?]) ", text_alone.removeprefix("- ")):
            if len(sentence.split()) > SENTENCE_WORDS:
                yield sentence


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_and_images_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_and_modules_that_are_named_exist(page: Path) -> None:
    text = text_of(page)
    assert list(missing_files(text)) == []
    for module in MODULE.findall(text):
        path = PLACEHOLDER.sub("*", module).replace(".", "/")
        assert any(ROOT.glob(f"{path}.py")) or any(ROOT.glob(f"{path}/__main__.py")), module


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_and_their_options_exist(page: Path) -> None:
    assert list(unknown_commands(text_of(page))) == []


def test_every_page_is_on_the_map() -> None:
    mapped = {(DOCS / target.partition("#")[0]).resolve() for target in LINK.findall(text_of(DOCS / "README.md"))}
    assert {page for page in DOCS.rglob("*.md") if page != DOCS / "README.md"} <= mapped


def test_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").split()) < README_WORDS


@pytest.mark.parametrize("page", PLAIN, ids=named)
def test_pages_for_newcomers_have_short_sentences(page: Path) -> None:
    assert list(long_sentences(text_of(page))) == []


def test_the_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    links = "[a](#one) [b](#two) [c](gone.md) ![d](gone.png) [e](https://example.org)"
    page.write_text(f"# One\n\n{links}\n", encoding="utf-8")
    assert list(broken_links(page)) == ["#two", "gone.md", "gone.png"]
    assert list(missing_files("`problems/gone.toml`, problems/quickstart.toml, `imcevo/gone.py`")) == [
        "problems/gone.toml", "imcevo/gone.py",
    ]  # fmt: skip
    wrong = ["imcevo runs R", "imcevo front R --besst edp", "imcevo workloads inport M.onnx", "imcevo map P --dim a=1"]
    right = "imcevo workloads\n    imcevo workloads import M.onnx --dim a=1  # text --of\n`imcevo validate NAME --json`"
    assert list(unknown_commands("\n".join([*wrong, right]))) == wrong
    assert len(list(long_sentences("word " * 35 + "word.\n\n- " + "word " * 35 + "\n\n| " + "cell " * 40 + "|"))) == 1
