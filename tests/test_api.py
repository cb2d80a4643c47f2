"""The names that `import imcevo` offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import imcevo


def test_every_offered_name_is_there():
    assert set(imcevo.__all__) <= set(dir(imcevo))
    assert all(getattr(imcevo, name) is not None for name in imcevo.__all__)
    with pytest.raises(AttributeError, match="evaluat"):
        _ = imcevo.evaluat


def test_import_alone_loads_nothing_heavy():
    script = "import sys, imcevo; print([m for m in ('numpy', 'numba', 'pandas', 'pymoo') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
