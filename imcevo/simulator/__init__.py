"""Simulators: designs x layers x mapping -> metrics and breakdowns."""

from __future__ import annotations

from collections.abc import Sequence

from imcevo.errors import unknown_name
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.interface import Breakdown, Metrics, Repair, Simulator
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.technology import Technology
from imcevo.workload import Network, Precision

PROFILES: tuple[str, ...] = ("physical",)


def make_simulator(
    profile: str,
    *,
    networks: Sequence[Network],
    precision: Precision,
    deployment: Deployment,
    mapping_policy: str,
    technology: Technology | None = None,
) -> Simulator:
    """The simulator of a profile, bound to a question.

    Raises:
        UserError: unknown profile or mapping policy.
    """
    if profile not in PROFILES:
        raise unknown_name("profile", profile, PROFILES, key="model.profile")
    return PhysicalSimulator(networks, precision, deployment, mapping_policy, technology)


__all__ = [
    "PROFILES", "Breakdown", "Deployment", "Metrics", "PhysicalSimulator", "Repair", "Simulator", "make_simulator",
]  # fmt: skip
