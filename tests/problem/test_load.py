"""Problem files: what they mean, what they refuse, and that they can be written again."""

from __future__ import annotations

import copy
import tomllib
from importlib import resources

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imcevo.errors import UserError
from imcevo.problem import load_problem
from imcevo.problem.toml_text import to_toml
from tests.problem.configs import CONFIG

OWN_NETWORK = "name,C,M\nfirst,16,32\nsecond,32,8\n"


def changed(path, value):
    """The config with the entry at a dotted path replaced, or removed where `value` is None."""
    config = copy.deepcopy(CONFIG)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    place = config
    for part in parents:
        place = place[part]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return config


def test_hash_is_that_of_the_question(load, config):
    first = load(config)
    assert len(first.hash) == 64
    prose = load({**config, "name": "other", "description": "said differently"})
    order = load({**config, "design_space": dict(reversed(config["design_space"].items()))})
    assert first.hash == prose.hash == order.hash
    others = [
        changed("precision/input_bits", 4),
        changed("objectives/0/aggregate", "max"),
        changed("constraints/adc_bits", 2),
        changed("hypervolume/reference/0", 2e-4),
        changed("design_space/rows", [64, 128]),
        changed("workloads/networks", ["mobilebert", "resnet18"]),
        changed("deployment/mode", "streamed"),
    ]
    assert len({first.hash, *(load(other).hash for other in others)}) == 1 + len(others)


def test_resolved_file_asks_the_same_question_elsewhere(load, config, tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "mine.csv").write_text(OWN_NETWORK)
    config["workloads"]["networks"] = ["resnet18", "nets/mine.csv"]
    config["description"] = 'quoted "text"\nand \\ a \x7f line'
    first = load(config)
    assert first.networks == ("resnet18", "mine")
    assert first.companion_files() == {"networks/mine.csv": OWN_NETWORK}

    elsewhere = tmp_path / "run"
    (elsewhere / "networks").mkdir(parents=True)
    (elsewhere / "problem.toml").write_text(first.resolved_toml())
    for path, text in first.companion_files().items():
        (elsewhere / path).write_text(text)
    second = load_problem(elsewhere / "problem.toml")
    assert second.hash == first.hash
    assert second.resolved_toml() == first.resolved_toml()
    assert second.description == first.description
    X = first.sample(20, np.random.default_rng(0))
    assert np.array_equal(first.evaluate(X).F, second.evaluate(X).F)


def test_content_of_a_users_network_is_part_of_the_hash(load, config, tmp_path):
    config["workloads"]["networks"] = ["mine.csv"]
    (tmp_path / "mine.csv").write_text(OWN_NETWORK)
    before = load(config).hash
    (tmp_path / "mine.csv").write_text(OWN_NETWORK.replace("32,8", "32,9"))
    assert load(config).hash != before


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", "two words", "name"),
        ("model/profile", "imaginary", "model.profile: 'imaginary' is not a known profile"),
        ("mapping/policy", "perfect", "mapping.policy: 'perfect' is not a known mapping policy"),
        ("mapping", None, "mapping: this key is missing"),
        ("workloads/networks", [], "suite is empty"),
        ("workloads/networks", ["resnet118"], r"workloads.networks\[0\]: 'resnet118'.*did you mean 'resnet18'"),
        ("workloads/networks", ["resnet18", "resnet18"], "twice"),
        ("workloads/networks", "resnet18", "workloads.networks: got 'resnet18'"),
        ("workloads/networks", [18], r"workloads.networks\[0\]: got 18"),
        ("workloads/network", ["resnet18"], "did you mean 'networks'"),
        ("precision/input_bits", 0, "precision.input_bits"),
        ("deployment/mode", "floating", "deployment.mode: got 'floating'"),
        ("objectives", [], "lists no objective"),
        ("objectives/0/metric", "energy", r"objectives\[0\].metric: got 'energy'"),
        ("objectives/0/agregate", "max", "did you mean 'aggregate'"),
        ("objectives/0", {"metric": "cost", "aggregate": "mean"}, r"objectives\[0\].aggregate: 'mean' has no place"),
        ("deployment/inferences_per_lifetime", 0, "deployment.inferences_per_lifetime: 0.* is not positive"),
        ("hypervolume", None, "hypervolume: this key is missing"),
        ("hypervolume/reference", [1.0], "1 entries for 3 objectives"),
        ("design_space/rows", -32, "design_space.rows: -32 is out of range.*8 to 4096"),
        ("design_space/rows", [64, -32], "design_space.rows: -32"),
        ("design_space/rows", [], "has no values"),
        ("design_space/rows", [64, 64], "twice"),
        ("design_space/rows", "many", "design_space.rows: 'many' is not a number"),
        ("design_space/rows", [64.5], "not a whole number"),
        ("design_space/rows", {"low": 3}, "not a number"),
        ("design_space/row", 3, "did you mean 'rows'"),
        ("design_space/rows", None, "missing: rows"),
        ("design_space/cycle_s", 1e-9, "'cycle_s' is not a known hardware parameter of this problem"),
    ],
)
def test_mistakes_name_file_key_and_value(load, write, path, value, said):
    config = changed(path, value)
    with pytest.raises(UserError, match=said) as caught:
        load(config)
    message = str(caught.value)
    assert str(write(config)) in message
    assert "\n" not in message


def test_nothing_to_choose_is_refused(load, config):
    fixed = {
        name: entry[0] if isinstance(entry, list) else entry for name, entry in config["design_space"].items()
    }
    with pytest.raises(UserError, match="nothing to choose"):
        load({**config, "design_space": fixed})


@pytest.mark.parametrize(("mode", "count"), [("swapped", None), ("swapped", -1.0), ("resident", 10.0)])
def test_inferences_per_switch_belongs_to_swapped(load, write, config, mode, count):
    config["deployment"] = {"mode": mode, "inferences_per_switch": count}
    with pytest.raises(UserError, match=r"deployment\.inferences_per_switch"):
        load_problem(write(config))


@pytest.mark.parametrize("text", ["rows = nan", "a = [1, inf]", "= 3", "x = 1\nx = 2", "\0\x01", "[" * 5000])
def test_files_that_are_no_problem(tmp_path, text):
    file = tmp_path / "p.toml"
    file.write_text(text)
    with pytest.raises(UserError, match=r"p\.toml"):
        load_problem(file)


def test_binary_garbage_directory_and_missing_file(tmp_path):
    file = tmp_path / "p.toml"
    file.write_bytes(bytes(range(128, 256)) * 10)
    for path in (file, tmp_path, tmp_path / "absent.toml"):
        with pytest.raises(UserError, match=str(path)):
            load_problem(path)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.lists(st.integers(-5, 300), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers()),
)  # fmt: skip


def places(value, path=()):
    """Every path into the config."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            found += places(item, (*path, key))
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(places(CONFIG)), JUNK), min_size=1, max_size=3))
def test_mutated_files_load_or_are_refused(load, mutations):
    config = copy.deepcopy(CONFIG)
    for path, junk in mutations:
        mutate(config, path, junk)
    try:
        problem = load(config)
    except UserError:
        return
    assert np.isfinite(problem.evaluate(problem.sample(3, np.random.default_rng(0))).F).all()


def mutate(config, path, junk):
    """Put `junk` at a path, as far as earlier mutations left it; every fifth time under a misspelt key."""
    *parents, last = path
    place = config
    for part in parents:
        try:
            place = place[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(place, dict):
        # An earlier mutation may have put a table where a list was: TOML keys are text, list positions are not.
        place[f"{last}x" if len(repr(junk)) % 5 == 0 else str(last)] = junk
    elif isinstance(place, list) and isinstance(last, int) and last < len(place) and junk is not None:
        place[last] = junk


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
        st.recursive(
            st.one_of(
                st.booleans(), st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab "), inner, max_size=2)
            ),
            max_leaves=6,
        ),
        max_size=5,
    )
)  # fmt: skip
def test_toml_is_read_back_as_written(data):
    assert tomllib.loads(to_toml(data)) == data


def test_own_cells_come_from_a_folder_and_travel_with_the_problem(write, config, tmp_path):
    (tmp_path / "mine").mkdir()
    shipped = resources.files("imcevo") / "technology" / "data" / "cells" / "rram_1t1r.toml"
    (tmp_path / "mine" / "small_rram.toml").write_text(shipped.read_text().replace("value = 48", "value = 24"))
    config["model"]["cells"] = "mine"
    config["design_space"]["cell"] = ["rram_1t1r", "small_rram"]
    problem = load_problem(write(config))
    E = problem.evaluate(np.array([[0] * problem.n_var, [1] + [0] * (problem.n_var - 1)]))
    assert problem.variable_names[0] == "cell"
    assert E.F[1, 2] < E.F[0, 2]  # half the cell area

    moved = tmp_path / "moved"
    for name, text in {**problem.companion_files(), "problem.toml": problem.resolved_toml()}.items():
        (moved / name).parent.mkdir(parents=True, exist_ok=True)
        (moved / name).write_text(text)
    assert load_problem(moved / "problem.toml").hash == problem.hash
    (tmp_path / "mine" / "small_rram.toml").write_text(shipped.read_text())
    assert load_problem(write(config)).hash != problem.hash

    config["model"]["cells"] = "nowhere"
    with pytest.raises(UserError, match="nowhere"):
        load_problem(write(config))


def test_suites_and_weights_by_name(load):
    config = copy.deepcopy(CONFIG)
    config["workloads"] = {"suite": "recommendation", "networks": ["resnet8"]}
    config["workloads"]["weights"] = {"resnet8": 1.0, "ncf": 2.0, "dlrm_kaggle": 1.0}
    config["objectives"][0]["aggregate"] = "weighted_geometric_mean"
    problem = load(config)
    assert problem.networks == ("dlrm_kaggle", "ncf", "resnet8")
    assert problem.objectives[0].weights == (0.25, 0.5, 0.25)
    resolved = tomllib.loads(problem.resolved_toml())["workloads"]
    assert resolved["networks"] == list(problem.networks)
    assert "suite" not in resolved


@pytest.mark.parametrize(
    ("workloads", "said"),
    [
        ({"suite": "egde"}, "workloads.suite: 'egde' is not a known suite; did you mean 'edge'"),
        ({"suite": "edge", "networks": ["resnet8"]}, "'resnet8' is in the suite twice"),
        ({"suite": "edge", "networks": "resnet8"}, "workloads.networks"),
        ({}, "the suite is empty"),
    ],
)
def test_suite_mistakes(load, workloads, said):
    with pytest.raises(UserError, match=said):
        load(copy.deepcopy(CONFIG) | {"workloads": workloads})


def test_precision_of_networks_reaches_the_layers_and_the_hash(load):
    config = copy.deepcopy(CONFIG)
    whole = load(config)
    config["precision"]["networks"] = {"resnet18": {"weight_bits": 4, "layers": {"first": {"weight_bits": 8}}}}
    problem = load(config)
    assert problem.hash != whole.hash
    again = tomllib.loads(problem.resolved_toml())["precision"]["networks"]
    assert again == config["precision"]["networks"]
    config["precision"]["networks"] = {"resnet50": {"weight_bits": 4}}
    with pytest.raises(UserError, match=r"toml: precision.networks.resnet50: 'resnet50' is not a known network"):
        load(config)
