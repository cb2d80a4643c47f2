"""Compound operators (attention, fused products) rewritten into primitive ones, so that counting knows those only.

Standard operators follow their specification in ONNX; those of the domain ``com.microsoft`` the schemas that ONNX
Runtime registers. A rewritten node has the same shapes, products and stored weights as the compound one. Causal and
padding masks, rotary positions and normalisations are written out too; where values that are known only at run time
decide nothing but which entries are masked (``seqlens_k``), all sequences are taken as full.
"""

from __future__ import annotations

from imcevo.workload.onnx_import.expand.rewrite import Expansion, expand_node, is_compound

__all__ = ["Expansion", "expand_node", "is_compound"]
