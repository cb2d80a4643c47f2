"""Design keys that simulators of the physical profile read, beside those of the mapping policy."""

from __future__ import annotations

from imcevo.hardware.parameters import keys_of

KEYS = keys_of("physical")
HYBRID_KEYS = keys_of("hybrid")  # they ask for chips with two kinds of tiles
PRECISION_KEYS = keys_of("precision")  # they make bits the design's to choose
