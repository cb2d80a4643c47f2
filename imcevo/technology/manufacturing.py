"""Wafers and defects: what `manufacturing.toml` holds."""

from __future__ import annotations

from imcevo.config import StrictModel
from imcevo.technology import quantity as q


class NodeManufacturing(StrictModel):
    """One node's wafers."""

    wafer_price: q.Price
    defect_density: q.DefectDensity


class Manufacturing(StrictModel):
    """What turns an area into the cost of a die.

    Attributes:
        wafer_diameter, edge_exclusion: the part of a wafer that carries good dies is what the ring leaves.
        exposure_field: the largest die that one exposure prints.
        scribe_lane: between two dies.
        edge_loss: dies cut by the edge, in the exponent of the gross-die formula.
        critical_levels: exponent of the negative binomial yield.
        nodes: ``"28nm"`` and so on.
    """

    wafer_diameter: q.Length
    edge_exclusion: q.Length
    exposure_field: q.Area
    scribe_lane: q.Length
    edge_loss: q.Number
    critical_levels: q.Number
    nodes: dict[str, NodeManufacturing]
