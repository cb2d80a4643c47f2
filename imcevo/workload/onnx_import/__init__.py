"""ONNX models as networks; needs the optional extra ``imcevo[onnx]``.

`read_graph` gives nodes with shapes and small constants (no weight is ever looked at), `lower_graph` turns nodes into
work items, `layers_of` fuses and orders them.
"""

from __future__ import annotations

from imcevo.workload.onnx_import.convert import Imported, import_onnx

__all__ = ["Imported", "import_onnx"]
