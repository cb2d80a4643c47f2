"""Mapping policies by name. A policy turns layers and geometry into factors; it sees no prices unless it asks."""

from __future__ import annotations

from collections.abc import Callable

from imcevo.errors import unknown_name
from imcevo.mapping.factors import Mapping
from imcevo.mapping.greedy import map_greedily
from imcevo.mapping.records import Records

MappingPolicy = Callable[[Records, Records, int], Mapping]

_POLICIES: dict[str, MappingPolicy] = {"greedy": map_greedily}


def mapping_policy(name: str) -> MappingPolicy:
    """The policy of that name.

    Raises:
        UserError: unknown name.
    """
    try:
        return _POLICIES[name]
    except KeyError:
        raise unknown_name("mapping policy", name, _POLICIES, key="mapping.policy") from None
