"""Simulators: designs x layers x mapping -> metrics and breakdowns. Which one it is, only `build` knows."""

from imcevo.simulator.build import physical_simulator, published_simulator
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.interface import Simulator
from imcevo.simulator.results import Breakdown, Metrics, Repair

__all__ = [
    "Breakdown", "Deployment", "Metrics", "Repair", "Simulator", "physical_simulator", "published_simulator",
]  # fmt: skip
