from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imcevo.errors import UserError
from imcevo.runs.evaluations import EvaluationLog, Layout, read_blocks, read_layout

LAYOUT = Layout("hash", ("a", "b"), (3, 300), ("f",), ("g", "h"))


def rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, [4, 301], size=(n, 2)), rng.random((n, 1)), rng.normal(size=(n, 2))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "evaluations.bin"
    log = EvaluationLog(path, LAYOUT)
    for generation in (1, 2, 3):
        log.append(generation, LAYOUT.rows(*rows(5, generation)))
    log.close()
    return path


def test_what_was_written_is_read(path: Path) -> None:
    assert read_layout(path) == LAYOUT
    blocks = list(read_blocks(path))
    assert [block.generation for block in blocks] == [1, 2, 3]
    for block in blocks:
        for got, given in zip((block.X, block.F, block.G), rows(5, block.generation), strict=True):
            assert np.array_equal(got, given)
    assert blocks[0].X.dtype == np.uint16  # the narrowest that holds 300
    assert blocks[-1].end == path.stat().st_size


def test_rows_are_fixed_width(path: Path) -> None:
    assert LAYOUT.dtype.itemsize == 2 * 2 + 8 + 2 * 8
    ends = [block.end for block in read_blocks(path)]
    assert np.diff(ends).tolist() == [16 + 5 * 28] * 2


def test_every_damaged_byte_is_noticed(path: Path) -> None:
    intact = path.read_bytes()
    for place in range(0, len(intact), 7):
        damaged = bytearray(intact)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        good, told = [], ""
        try:
            good = [block.generation for block in read_blocks(path)]
        except UserError as error:
            told = str(error)
        assert good == [1, 2, 3][: len(good)]
        assert len(good) < 3
        assert bool(told) == (place < len(LAYOUT.header()))


def test_a_file_cut_anywhere_gives_the_generations_before_the_cut(path: Path) -> None:
    intact = path.read_bytes()
    ends = [block.end for block in read_blocks(path)]
    header = len(LAYOUT.header())
    for length in range(header, len(intact), 11):
        path.write_bytes(intact[:length])
        assert len(list(read_blocks(path))) == sum(end <= length for end in ends)
    for length in range(0, header, 5):
        path.write_bytes(intact[:length])
        with pytest.raises(UserError, match=r"corrupted|is not the evaluations"):
            read_layout(path)


def test_reopening_cuts_off_what_is_not_kept(path: Path) -> None:
    second = list(read_blocks(path))[1].end
    log = EvaluationLog(path, LAYOUT, keep=second)
    log.append(3, LAYOUT.rows(*rows(2, 9)))
    log.close()
    assert [len(block.X) for block in read_blocks(path)] == [5, 5, 2]


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    with pytest.raises(UserError, match="File exists"):
        EvaluationLog(path, LAYOUT)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 something else entirely", b"imcevo\x00\x07" + b"\x00" * 40])
def test_strangers_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evaluations.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"is not the evaluations|another format version"):
        read_layout(path)


def test_full_disk_is_told_with_the_path() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    log = EvaluationLog.__new__(EvaluationLog)
    log.path, log._dtype, log.length = Path("/dev/full"), LAYOUT.dtype, 0
    with Path("/dev/full").open("wb", buffering=0) as log._file, pytest.raises(UserError, match="No space left"):
        log.append(1, LAYOUT.rows(*rows(3, 0)))
