"""Writes the golden results anew."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.portable.golden import DIGESTS, FRONT, OPTIMISERS, digest, search

with tempfile.TemporaryDirectory() as folder:
    found = {optimiser: search(Path(folder) / optimiser, optimiser)["front.csv"] for optimiser in OPTIMISERS}
FRONT.write_bytes(found["nsga2"])
DIGESTS.write_text(json.dumps({optimiser: digest(front) for optimiser, front in found.items()}, indent=2) + "\n")
