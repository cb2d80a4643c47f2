"""Mapping policies by name. A policy turns layers, geometry and prices into factors; some read genes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from imcevo.errors import unknown_name
from imcevo.hardware import LATENCY_WEIGHT, DesignTable
from imcevo.mapping.evolved import map_as_told, shapes_of
from imcevo.mapping.exact_designs import map_exactly
from imcevo.mapping.factors import Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.kernel_records import Records
from imcevo.mapping.price import Prices, network_totals
from imcevo.mapping.space import CHOICES, NEUTRAL_COPIES

EVEN_WEIGHT = 1.0  # of latency, where nothing else is said: a mapping near the least energy x latency


class MappingGenes(NamedTuple):
    """Variables of the genome that a policy reads; variable i takes whole numbers 0 to ``upper[i]``.

    Attributes:
        names: of the variables.
        upper: largest values ``[n_genes]``.
        linkage: which variables recombination exchanges together: equal numbers, one block ``[n_genes]``.
        start: the values that mean the greedy rule, or what comes nearest to it ``[n_genes]``.
    """

    names: tuple[str, ...]
    upper: NDArray[np.int64]
    linkage: NDArray[np.int64]
    start: NDArray[np.int64]


NO_GENES = MappingGenes((), *(np.empty(0, dtype=np.int64) for _ in range(3)))


class MappingPolicy(Protocol):
    """How layers are mapped.

    Attributes:
        keys: hardware parameters that it reads and the simulator does not.
    """

    keys: tuple[str, ...]

    def genes(self, layers: Records) -> MappingGenes:
        """The variables it reads for a suite of layers ``[n_layers]``."""

    def map(
        self, layers: Records, geometry: Records, n_networks: int, prices: Prices, designs: DesignTable
    ) -> Mapping:
        """Mappings of `layers` ``[n_layers]`` on designs ``[n_designs]``; it reads their `keys` and mapping genes."""


class GreedyPolicy:
    """`map_greedily`; reads no genes and no prices."""

    keys: tuple[str, ...] = ()

    def genes(self, layers: Records) -> MappingGenes:
        return NO_GENES

    def map(
        self, layers: Records, geometry: Records, n_networks: int, prices: Prices, designs: DesignTable
    ) -> Mapping:
        return map_greedily(layers, geometry, n_networks)


class ExactPolicy:
    """`map_exactly`; the design says how much latency counts beside energy.

    A network costs E / E_greedy + w L / L_greedy, so that w = 1 weighs a per cent of energy like a per cent of latency
    and w means the same on every chip. With w from 0 on this reaches every mapping on the convex hull of the suite's
    energy and latency.
    """

    keys: tuple[str, ...] = (LATENCY_WEIGHT,)

    def genes(self, layers: Records) -> MappingGenes:
        return NO_GENES

    def map(
        self, layers: Records, geometry: Records, n_networks: int, prices: Prices, designs: DesignTable
    ) -> Mapping:
        greedy = map_greedily(layers, geometry, n_networks)
        energy, latency = network_totals(layers, geometry, n_networks, prices, greedy)
        totals = np.stack([energy, latency], axis=2)
        shares = np.ones_like(totals)
        shares[:, :, 1] = designs.real(LATENCY_WEIGHT)[:, None]
        weights = np.divide(shares, totals, out=np.zeros_like(totals), where=totals > 0)  # 0: networks without layers
        return map_exactly(layers, geometry, prices, weights)


class EvolvedPolicy:
    """`map_as_told`: the genes are the `CHOICES` of every unique layer shape."""

    keys: tuple[str, ...] = ()

    def genes(self, layers: Records) -> MappingGenes:
        n = int(shapes_of(layers).max(initial=-1)) + 1
        top = np.array(list(CHOICES.values()), dtype=np.int64)
        start = np.where(np.array(list(CHOICES)) == "copies", NEUTRAL_COPIES, top)
        names = tuple(f"shape{shape}.{name}" for shape in range(n) for name in CHOICES)
        return MappingGenes(names, np.tile(top, n), np.repeat(np.arange(n), len(top)), np.tile(start, n))

    def map(
        self, layers: Records, geometry: Records, n_networks: int, prices: Prices, designs: DesignTable
    ) -> Mapping:
        assert designs.mapping_genes is not None
        choices = designs.mapping_genes.reshape(len(geometry), -1, len(CHOICES))
        return map_as_told(layers, geometry, n_networks, shapes_of(layers), choices)


_POLICIES: dict[str, MappingPolicy] = {"greedy": GreedyPolicy(), "evolved": EvolvedPolicy(), "exact": ExactPolicy()}


def mapping_policy(name: str) -> MappingPolicy:
    """The policy of that name.

    Raises:
        UserError: unknown name.
    """
    try:
        return _POLICIES[name]
    except KeyError:
        raise unknown_name("mapping policy", name, _POLICIES, key="mapping.policy") from None
