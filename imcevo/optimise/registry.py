"""Optimisers by name, as experiment files call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from imcevo.config import StrictModel, validated
from imcevo.errors import unknown_name
from imcevo.optimise.base import Optimiser
from imcevo.optimise.evolution import EvolutionOptions
from imcevo.optimise.nsga2 import Nsga2, Nsga2Mnn
from imcevo.optimise.pymoo_survival import AgeMoea2, Nsga3, SmsEmoa
from imcevo.optimise.random_search import RandomOptions, RandomSearch


class Entry(NamedTuple):
    """An optimiser on offer: the model of its options, and ``build(problem, options, seed=...)``."""

    options: type[StrictModel]
    build: Callable[..., Optimiser]


OPTIMISERS: Mapping[str, Entry] = {
    "nsga2": Entry(EvolutionOptions, Nsga2),
    "nsga2_mnn": Entry(EvolutionOptions, Nsga2Mnn),
    "nsga3": Entry(EvolutionOptions, Nsga3),
    "sms_emoa": Entry(EvolutionOptions, SmsEmoa),
    "age_moea2": Entry(EvolutionOptions, AgeMoea2),
    "random": Entry(RandomOptions, RandomSearch),
}


def optimiser_entry(name: str, *, file: Path | str | None = None, key: str = "optimiser.name") -> Entry:
    """The optimiser of that name.

    Raises:
        UserError: unknown name; the nearest valid one is suggested.
    """
    if name not in OPTIMISERS:
        raise unknown_name("optimiser", name, OPTIMISERS, file=file, key=key)
    return OPTIMISERS[name]


def optimiser_options(
    name: str, given: Mapping[str, Any], *, file: Path | str | None = None, key: str = "optimiser"
) -> StrictModel:
    """The options of an optimiser, defaults filled in.

    Raises:
        UserError: unknown optimiser, unknown option, wrong type or out of range.
    """
    return validated(dict(given), optimiser_entry(name, file=file).options, file=file, key=key)
