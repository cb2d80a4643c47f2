"""A slow simulator that executes a mapped layer and counts accesses one by one.

It shares no formula with the kernels: loops are run, buffers are least-recently-used caches of data blocks, input
windows are sets of coordinates, reuse is whatever the caches find.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from itertools import product

from imcevo.mapping.factors import ORDERS
from imcevo.workload.layers import Layer


def chunks(size: int, step: int) -> list[range]:
    return [range(start, min(start + step, size)) for start in range(0, size, step)]


def split(size: int, pieces: int) -> list[range]:
    """`size` cut into at most `pieces` equal ranges (the last may be short)."""
    return chunks(size, -(-size // pieces))


class Cache:
    """Least-recently-used cache of equally large blocks."""

    def __init__(self, blocks: int) -> None:
        self.blocks, self.held = blocks, OrderedDict[object, None]()

    def touch(self, block: object) -> bool:
        """Use a block; whether it was there."""
        hit = block in self.held
        self.held[block] = None
        self.held.move_to_end(block)
        while len(self.held) > self.blocks:
            self.held.popitem(last=False)
        return hit


class Walk:
    """Execute `layer` under the factors `f` on the design `chip`; results in `counts` and `times`.

    `held`: the weights that the layer before, with the same tensor and factors, left in the arrays (its `held`).
    """

    def __init__(
        self, layer: Layer, chip: dict[str, int], f: dict[str, int], *, bits: int = 8, sum_bits: int = 24,
        held: object = None,
    ) -> None:  # fmt: skip
        self.held = held
        self.layer, self.chip, self.f, self.bits, self.sum_bits = layer, chip, f, bits, sum_bits
        self.counts: dict[str, float] = defaultdict(float)
        self.slices = -(-bits // chip["bits_per_cell"])
        self.cycles = -(-bits // chip["dac_bits"])
        self.rounds = self.steps = self.rows_written = 0
        self.k_tiles = self._tiles(layer.K, f["rows_k"], f["macro_k"])
        self.m_tiles = self._tiles(layer.M, f["cols_m"], f["macro_m"])
        self.g_tiles = self._tiles(layer.G, f["pack_g"], f["macro_g"])
        self.copies = self._copies()
        self._walk()

    @staticmethod
    def _tiles(size: int, per_array: int, arrays: int) -> list[list[range]]:
        """Array-sized pieces, grouped into tiles."""
        pieces = chunks(size, per_array)
        return [[pieces[i] for i in group] for group in chunks(len(pieces), arrays)]

    def _copies(self) -> list[tuple[range, range, range]]:
        layer, f = self.layer, self.f
        copies = f["macro_v"] * f["tile_v"] * f["group_v"]
        over_n = split(layer.N, copies)
        left = copies // len(over_n)
        over_p = split(layer.P, 1 if layer.sequential else left)
        over_q = split(layer.Q, left // len(over_p))
        return list(product(over_n, over_p, over_q))

    def _slabs(self) -> list[tuple[int, int]]:
        """(image of the copy, slab of its rows) in time."""
        n, p, _ = self.copies[0]
        return list(product(range(len(n)), range(len(chunks(len(p), -(-len(p) // self.f["slabs"]))))))

    def _pieces(self, slab: tuple[int, int]) -> list[tuple[int, range, range]]:
        """(image, output rows, output columns) of every copy with work in a slab."""
        height = -(-len(self.copies[0][1]) // self.f["slabs"])
        found = []
        for n, p, q in self.copies:
            rows = chunks(len(p), height)
            if slab[0] < len(n) and slab[1] < len(rows):
                r = rows[slab[1]]
                found.append((n[slab[0]], range(p.start + r.start, p.start + r.stop), q))
        return found

    def _sequence(self) -> Iterator[tuple[int, tuple[int, int], int, int]]:
        """Rounds in time: (groups, slab, outputs, reduction)."""
        f = self.f
        loops = {
            "V": self._slabs(),
            "M": range(len(chunks(len(self.m_tiles), f["tile_m"] * f["group_m"]))),
            "K": range(len(chunks(len(self.k_tiles), f["tile_k"] * f["group_k"]))),
        }
        order = ORDERS[f["order"]]
        for g in range(len(chunks(len(self.g_tiles), f["tile_g"] * f["group_g"]))):
            for point in product(*(loops[name] for name in order)):
                at = dict(zip(order, point, strict=True))
                yield g, at["V"], at["M"], at["K"]

    def _in_space(self, tiles: list[list[range]], name: str, at: int) -> list[list[range]]:
        return [tiles[i] for i in chunks(len(tiles), self.f["tile_" + name] * self.f["group_" + name])[at]]

    def _walk(self) -> None:
        layer, c = self.layer, self.counts
        streamed = self.chip["deployment"] == 2 or layer.dynamic
        input_block, window, line = self._input_block_bits()
        inputs = defaultdict(lambda: Cache(int(self.chip["input_buffer_bits"] // input_block)))
        sums = Cache(int(self.chip["output_buffer_bits"] // self._output_block_bits()))
        started: set[object] = set()
        compute: set[object] = set()
        for g, slab, m, k in self._sequence():
            pieces = self._pieces(slab)
            groups = sum(len(r) for tile in self._in_space(self.g_tiles, "g", g) for r in tile)
            k_tiles, m_tiles = self._in_space(self.k_tiles, "k", k), self._in_space(self.m_tiles, "m", m)
            elements = sum(len(r) for tile in k_tiles for r in tile)
            outputs = sum(len(r) for tile in m_tiles for r in tile)
            vectors = sum(len(p) * len(q) for _, p, q in pieces)
            if streamed and self.held != (g, m, k):
                self.held = (g, m, k)
                self._load_weights(g, k_tiles, m_tiles, groups, elements, outputs)
            # inputs
            fetched = sum(self._fetched(p, q, window, line) for _, p, q in pieces)
            fetched *= groups * elements / (layer.R * layer.S) * self.bits
            missed = [not inputs[index].touch((g, slab, k)) for index in range(len(m_tiles))]
            c["glb_read"] += fetched * any(missed)
            c["input_buffer_write"] += fetched * sum(missed)
            c["local_link"] += fetched * sum(missed)
            c["trunk"] += fetched * len({index // self.f["tile_m"] for index, miss in enumerate(missed) if miss})
            c["input_buffer_read"] += vectors * groups * elements * len(m_tiles) * self.bits
            # partial sums
            words = vectors * groups * outputs
            first = (g, slab, m) not in started
            started.add((g, slab, m))
            c["output_buffer_write"] += words * len(k_tiles) * self.sum_bits
            c["output_buffer_read"] += words * len(k_tiles) * self.sum_bits
            groups_k = len({index // self.f["tile_k"] for index in range(len(k_tiles))})
            c["local_link"] += 2 * words * (len(k_tiles) - 1) * self.sum_bits
            c["trunk"] += words * (groups_k - 1) * self.sum_bits
            c["accumulate"] += words * (sum(len(tile) for tile in k_tiles) - first)
            if not sums.touch((g, slab, m)) and not first:
                for name in ("glb_write", "glb_read"):
                    c[name] += words * self.sum_bits
                for name in ("trunk", "local_link"):
                    c[name] += 2 * words * self.sum_bits
            if k == len(chunks(len(self.k_tiles), self.f["tile_k"] * self.f["group_k"])) - 1:
                for name in ("glb_write", "trunk", "local_link"):
                    c[name] += words * self.bits
            self._compute(g, k_tiles, m_tiles, vectors)
            self.rounds += 1
            fullest = self._row_steps(len(self.g_tiles[0][0]), len(self.k_tiles[0][0]))
            self.steps += max(len(p) * len(q) for _, p, q in pieces) * len(fullest)
            compute.add((g, m, k))
        self.weight_rounds = len(compute)
        self._dram()

    def _compute(self, g: int, k_tiles: list[list[range]], m_tiles: list[list[range]], vectors: int) -> None:
        """Array by array: rows driven, columns sensed, cells read."""
        c = self.counts
        for g_tile in self._in_space(self.g_tiles, "g", g):
            for packed, k_tile, m_tile in product(g_tile, k_tiles, m_tiles):
                for rows, cols in product(k_tile, m_tile):
                    columns = len(packed) * len(cols) * self.slices
                    steps = self._row_steps(len(packed), len(rows))
                    on = [row for step in steps for row in step]
                    c["row_drive"] += vectors * self.cycles * len(on)
                    c["column_read"] += vectors * self.cycles * columns * len(steps)
                    c["cell_read"] += vectors * self.cycles * columns * len(on)
                    c["cell_read_w"] += vectors * self.cycles * columns * len(rows)

    def _row_steps(self, groups: int, rows: int) -> list[list[tuple[int, int]]]:
        """(group, row) switched on together, step by step: whole groups while they fit, or a group piece by piece."""
        steps: list[list[tuple[int, int]]] = []
        for group in range(groups):
            whole = [(group, row) for row in range(rows)]
            if steps and len(steps[-1]) + rows <= self.chip["rows_active"]:
                steps[-1] += whole
            else:
                steps += [[whole[i] for i in part] for part in chunks(rows, self.chip["rows_active"])]
        return steps

    def _load_weights(
        self, g: int, k_tiles: list[list[range]], m_tiles: list[list[range]], groups: int, elements: int, outputs: int
    ) -> None:
        c = self.counts
        bits = groups * elements * outputs * self.bits
        tiles = min(self.f["tile_v"] * self.f["group_v"], -(-len(self.copies) // self.f["macro_v"]))
        c["glb_read" if self.layer.dynamic else "dram"] += bits
        c["local_link"] += bits * tiles
        c["trunk"] += bits * len({index // self.f["tile_v"] for index in range(tiles)})
        for g_tile in self._in_space(self.g_tiles, "g", g):
            for packed, k_tile, m_tile in product(g_tile, k_tiles, m_tiles):
                for rows, cols in product(k_tile, m_tile):
                    cells = len(packed) ** 2 * len(rows) * len(cols) * self.slices
                    c["cell_write"] += cells * len(self.copies)
                    c["row_write"] += len(packed) * len(rows) * len(self.copies)
        # One row counter for all arrays, every round as long as the fullest array needs.
        self.rows_written += len(self.g_tiles[0][0]) * len(self.k_tiles[0][0])

    def _input_block_bits(self) -> tuple[float, float, float]:
        """Bits of one slab, one window and R image rows of what a tile takes in."""
        layer, f = self.layer, self.f
        tile_k = max(sum(len(r) for r in tile) for tile in self.k_tiles)
        tile_g = max(sum(len(r) for r in tile) for tile in self.g_tiles)
        channel = tile_k * tile_g * f["macro_v"] * self.bits / (layer.R * layer.S)
        _, p, q = self.copies[0]
        height = min(layer.H, self._span(-(-len(p) // f["slabs"]), layer.stride_h, layer.R))
        width = min(layer.W, self._span(len(q), layer.stride_w, layer.S))
        return channel * height * width, channel * layer.R * layer.S, channel * layer.R * width

    @staticmethod
    def _span(n: int, stride: int, kernel: int) -> int:
        """Input rows under `n` windows, gaps left out."""
        return len({i * stride + r for i in range(n) for r in range(kernel)})

    def _output_block_bits(self) -> float:
        f = self.f
        tile_m = max(sum(len(r) for r in tile) for tile in self.m_tiles)
        tile_g = max(sum(len(r) for r in tile) for tile in self.g_tiles)
        _, p, q = self.copies[0]
        return tile_m * tile_g * f["macro_v"] * -(-len(p) // f["slabs"]) * len(q) * self.sum_bits

    def _fetched(self, p: range, q: range, window: float, line: float) -> int:
        """Inputs of one channel fetched for one piece, without padding."""
        layer, room = self.layer, self.chip["input_buffer_bits"]
        rows = [[h for r in range(layer.R) if 0 <= (h := i * layer.stride_h + r - layer.pad_h) < layer.H] for i in p]
        cols = [[w for s in range(layer.S) if 0 <= (w := j * layer.stride_w + s - layer.pad_w) < layer.W] for j in q]
        row_taps, col_taps = sum(map(len, rows)), sum(map(len, cols))
        if window > room:
            return row_taps * col_taps
        if line > room:
            return row_taps * len({w for col in cols for w in col})
        return len({h for row in rows for h in row}) * len({w for col in cols for w in col})

    def _dram(self) -> None:
        """Activations at the global buffer: reuse distances measured on the sequence of rounds."""
        layer, c, bits = self.layer, self.counts, self.bits
        inputs, outputs = layer.input_elements * bits, layer.output_elements * bits
        second = layer.weights * bits if layer.dynamic else 0
        room = self.chip["glb_bits"] - layer.held_elements * bits
        if inputs + outputs + second <= room:
            c["dram"] += layer.from_dram * inputs + layer.to_dram * outputs
            c["glb_write"] += layer.from_dram * inputs
            c["glb_read"] += layer.to_dram * outputs
            return
        rounds = list(self._sequence())
        in_blocks = [(g, v, k) for g, v, _, k in rounds]
        out_blocks = [(g, v, m) for g, v, m, _ in rounds]
        in_size = inputs / len(set(in_blocks))
        out_size = layer.output_elements * (bits if len({k for *_, k in rounds}) == 1 else self.sum_bits)
        out_size /= len(set(out_blocks))
        in_distance, out_distance = _reuse_distance(in_blocks), _reuse_distance(out_blocks)
        uses = len(rounds) / len(set(in_blocks))
        visits = len(rounds) / len(set(out_blocks))
        both = in_distance * in_size + out_distance * out_size <= room
        keep_in = uses == 1 or both or in_distance * in_size + out_size <= room
        keep_out = visits == 1 or both or (not keep_in and in_size + out_distance * out_size <= room)
        trips = 0 if keep_out else layer.output_elements * (visits - 1) * self.sum_bits
        read, written = inputs * (1 if keep_in else uses) + trips, outputs + trips
        c["dram"] += read + written + second
        c["glb_write"] += read + second
        c["glb_read"] += written


def _reuse_distance(blocks: list[object]) -> int:
    """Most distinct blocks between two uses of one block, itself included; 1 if none is used twice."""
    last: dict[object, int] = {}
    longest = 1
    for index, block in enumerate(blocks):
        if block in last:
            longest = max(longest, len(set(blocks[last[block] : index])))
        last[block] = index
    return longest
