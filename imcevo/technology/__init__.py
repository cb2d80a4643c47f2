"""Technology data: bit cells, CMOS nodes and circuits, every number with unit and source."""

from imcevo.technology.calibration import Calibration
from imcevo.technology.cells import (
    CELL_FAMILIES,
    GainCell,
    MemoryCell,
    ResistiveCell,
    SramAnalogCell,
    SramChargeCell,
    SramCurrentCell,
    SramDigitalCell,
)
from imcevo.technology.circuits import Circuits
from imcevo.technology.load import Technology, load_cell, load_technology
from imcevo.technology.manufacturing import Manufacturing
from imcevo.technology.nodes import Node
from imcevo.technology.quantity import Quantity

__all__ = [
    "CELL_FAMILIES", "Calibration", "Circuits", "GainCell", "Manufacturing", "MemoryCell", "Node", "Quantity",
    "ResistiveCell", "SramAnalogCell", "SramChargeCell", "SramCurrentCell", "SramDigitalCell", "Technology",
    "load_cell", "load_technology",
]  # fmt: skip
