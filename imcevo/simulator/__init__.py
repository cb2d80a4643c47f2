"""Simulators: designs x layers x mapping -> metrics and breakdowns."""

from imcevo.simulator.deployment import Deployment
from imcevo.simulator.hybrid import HybridSimulator
from imcevo.simulator.interface import Breakdown, Metrics, Repair, Simulator
from imcevo.simulator.physical import PhysicalSimulator

__all__ = ["Breakdown", "Deployment", "HybridSimulator", "Metrics", "PhysicalSimulator", "Repair", "Simulator"]
