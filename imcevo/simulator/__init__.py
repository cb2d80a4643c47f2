"""Simulators: designs x layers x mapping -> metrics and breakdowns."""

from imcevo.simulator.build import physical_simulator, published_simulator
from imcevo.simulator.deployment import Deployment
from imcevo.simulator.hybrid import HybridSimulator
from imcevo.simulator.interface import Simulator
from imcevo.simulator.physical import PhysicalSimulator
from imcevo.simulator.results import Breakdown, Metrics, Repair

__all__ = [
    "Breakdown", "Deployment", "HybridSimulator", "Metrics", "PhysicalSimulator", "Repair", "Simulator",
    "physical_simulator", "published_simulator",
]  # fmt: skip
