from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.study.config import NetworkFacts, Study, load_study
from imcevo.study.questions import network_facts
from imcevo.study.run import check_study

Make = Callable[..., Study]

FACTS = {
    "resnet18": NetworkFacts(macs=18, weights=11, family="cnn"),
    "vgg16": NetworkFacts(macs=155, weights=138, family="cnn"),
    "mobilebert": NetworkFacts(macs=53, weights=250, family="transformer"),
}
MIXES = [
    {"name": "a", "shares": {"resnet18": 3, "vgg16": 1, "mobilebert": 4}},
    {"name": "b", "shares": {"resnet18": 1, "vgg16": 1, "mobilebert": 2}, "probability": 2.0},
]


def expanded(study: Study) -> dict[str, tuple[str, ...]]:
    return {candidate.name: candidate.networks for candidate in study.candidates(FACTS)}


def test_entries_become_one_search_per_question(study: Make) -> None:
    every = study(designs=[
        {"name": "joint"}, {"name": "alone", "networks": "each"}, {"name": "without", "networks": "each_left_out"},
        {"name": "big", "networks": "largest"}, {"name": "cnns", "families": ["cnn"]},
        {"name": "no", "families": "each_left_out"}, {"name": "two", "networks": ["mobilebert", "resnet18"]},
    ])  # fmt: skip
    assert expanded(every) == {
        "joint": ("resnet18", "vgg16", "mobilebert"),
        "alone resnet18": ("resnet18",), "alone vgg16": ("vgg16",), "alone mobilebert": ("mobilebert",),
        "without resnet18": ("vgg16", "mobilebert"), "without vgg16": ("resnet18", "mobilebert"),
        "without mobilebert": ("resnet18", "vgg16"),
        "big": ("vgg16",), "cnns": ("resnet18", "vgg16"),
        "no cnn": ("mobilebert",), "no transformer": ("resnet18", "vgg16"),
        "two": ("resnet18", "mobilebert"),  # in the order of the suite
    }  # fmt: skip
    by_weights = study(designs=[{"name": "big", "networks": "largest"}], largest_by="weights")
    assert expanded(by_weights) == {"big": ("mobilebert",)}
    left_out = {c.name: c.left_out for c in every.candidates(FACTS)}
    assert left_out["cnns"] == ("mobilebert",)
    assert [c.name for c in every.candidates(FACTS) if c.alone] == ["alone resnet18", "alone vgg16", "alone mobilebert"]


def test_mixes_shift_in_equal_steps(study: Make) -> None:
    shifting = study(
        mixes=MIXES, shifts=[{"start": "a", "end": "b", "steps": 4}], designs=[{"name": "for", "mix": "each"}]
    )
    mixes = shifting.config.all_mixes()
    assert list(mixes) == ["a", "a to b 0.25", "a to b 0.50", "a to b 0.75", "b"]
    assert mixes["a"] == ({"resnet18": 3 / 8, "vgg16": 1 / 8, "mobilebert": 0.5}, 1.0)
    assert mixes["a to b 0.50"] == ({"resnet18": 5 / 16, "vgg16": 3 / 16, "mobilebert": 0.5}, 0.0)
    candidates = shifting.candidates(FACTS)
    assert [c.name for c in candidates] == [f"for {name}" for name in mixes]
    assert {c.aggregate for c in candidates} == {"weighted_mean"}
    assert candidates[4].shares == (0.25, 0.25, 0.5)


SHIPPED = ("generalised_vs_specialised", "unseen_networks", "workload_mix", "bitcell_technology")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_studies_ask_questions_that_can_be_asked(name: str) -> None:
    shipped = load_study(Path(__file__).parents[2] / "experiments" / f"{name}.toml")
    problem = load_problem(shipped.problem)
    candidates = shipped.candidates(network_facts(problem))
    check_study(shipped, problem, candidates)
    assert 2 / 2 ** len(shipped.config.seeds) * (len(candidates) - 1) < 0.05  # something can come out significant
    for other in shipped.config.certified.problems if shipped.config.certified else ():
        assert load_problem(shipped.file.parent / other).simulator.name == "published"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": [1, 1]}, "seeds[1]: 1 is listed twice"),
        ({"seeds": [-1]}, "seeds[0]: -1 is out of range"),
        ({"optimiser": {"name": "nsga3000"}}, "optimiser.name"),
        ({"optimiser": {"name": "nsga2", "populatoin": 3}}, "optimiser.populatoin: unknown key"),
        ({"choice": {"metric": "edap", "aggregate": "mean"}}, "choice.metric"),
        ({"designs": []}, "designs"),
        ({"designs": [{"name": "x", "method": "sequential"}]}, "designs[0].stages"),
        ({"designs": [{"name": "x", "stages": [["rows"]]}]}, "designs[0].stages"),
        ({"designs": [{"name": "x", "start": "middle"}]}, "designs[0].start"),
        ({"designs": [{"name": "x", "networks": "each", "families": ["cnn"]}]}, "designs[0].families"),
        ({"designs": [{"name": "x", "mix": "c"}], "mixes": MIXES}, "'c' is not a known mix"),
        ({"designs": [{"name": "x", "mix": "a", "aggregate": "max"}], "mixes": MIXES}, "designs[0].aggregate"),
        ({"mixes": [{"name": "a", "shares": {"resnet18": 0}}]}, "mixes[0].shares"),
        ({"mixes": [MIXES[0], MIXES[0]]}, "mixes[1].name"),
        ({"mixes": MIXES, "shifts": [{"start": "a", "end": "z", "steps": 3}]}, "shifts[0].end"),
        ({"spread": {"concentration": 3.0}}, "spread"),
        ({"uncertainty": {"energy_J": 0.5, "latency_s": 1.0, "area_m2": 1.0, "source": "none"}}, "uncertainty.energy"),
    ],
)
def test_mistakes_are_told_with_their_key(study: Make, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        study(**changes)
    assert "study.toml" in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ({"networks": ["resnet81"]}, "did you mean 'resnet18'"),
        ({"networks": []}, "designs[1].networks"),
        ({"families": ["rnn"]}, "'rnn' is not a known family"),
        ({"mix": "b", "networks": ["resnet18"]}, "weighs other networks"),
        ({"name": "joint"}, "is the name of two designs"),
    ],
)
def test_designs_that_do_not_fit_the_suite(study: Make, design: dict[str, Any], said: str) -> None:
    wrong = study(designs=[{"name": "joint"}, {"name": "x", **design}], mixes=MIXES)
    with pytest.raises(UserError, match=r"study\.toml: designs\[1\]") as error:
        wrong.candidates(FACTS)
    assert said in str(error.value)
