"""Hardware parameters, designs, design spaces."""

from imcevo.hardware.design import Design, DesignTable, table_of
from imcevo.hardware.parameters import (
    GLB_WIDTH_BITS,
    LATENCY_WEIGHT,
    PARAMETERS,
    Parameter,
    Value,
    parameter,
    require_keys,
)
from imcevo.hardware.space import DesignSpace

__all__ = [
    "GLB_WIDTH_BITS", "LATENCY_WEIGHT", "PARAMETERS", "Design", "DesignSpace", "DesignTable", "Parameter", "Value",
    "parameter", "require_keys", "table_of",
]  # fmt: skip
