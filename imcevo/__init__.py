"""Multi-objective evolutionary co-design of in-memory-computing accelerators for many networks."""

__version__ = "0.1.0"
