"""Random ONNX models through the importer and through the slow reference: both must count alike.

    python -m tests.tools.onnx_differential [--graphs 2000] [--seed 1] [--oddities 1] [--kinds conv2d,gemm]

Prints how many models held each kind of block, and every failure made small: the recipe that builds it, what the
reference counts and what the importer says. A refusal of a model is a failure too, with its message. Only what the
conventions settle is generated: no products of stored values alone, no values that are read for their shape only, no
arithmetic between stored tensors before a product.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import onnx

from imcevo.errors import UserError
from imcevo.workload.onnx_import import import_onnx
from tests.workload.onnx_graphs import BLOCKS, Built, Recipe, as_text, build, drawn
from tests.workload.onnx_reference import Counts, reference_counts

SMALL_SEEDS = 12  # tried for every block of a failure


@dataclass(frozen=True)
class Failure:
    """A model on which the importer and the reference differ; `got` is a message where the importer refused."""

    recipe: Recipe
    want: Counts
    got: Counts | str

    @property
    def kind(self) -> str:
        """What went wrong, to group by."""
        if isinstance(self.got, str):
            return self.got.split("onnx: ")[-1][:60]
        wrong = [key for key in vars(self.want) if getattr(self.want, key) != getattr(self.got, key)]
        return ", ".join(wrong)


def imported_counts(built: Built, folder: Path) -> Counts | str:
    """What the importer says of a model; its message if it refuses."""
    path = folder / "model.onnx"
    onnx.save(built.model, path)
    try:
        network = import_onnx(path, dims=built.dims, inputs=built.values, weights=built.weights).network
    except UserError as error:
        return str(error) if "has no layers" not in str(error) else Counts(0, 0, 0, 0, 0)
    except Exception as error:  # a traceback is the importer's fault, whatever it is
        return f"{type(error).__name__}: {error}"
    second = sum(layer.weights for layer in network.layers if layer.dynamic)
    written = sum(layer.output_elements for layer in network.layers if layer.kind == "matrix")
    return Counts(network.macs, network.parameters, network.array_weights, second, written)


def difference(recipe: Recipe, folder: Path) -> Failure | None:
    """The failure of one recipe; None where the importer agrees, or where the recipe makes no node."""
    built = build(recipe)
    if not built.model.graph.output:
        return None
    want = reference_counts(built.meant, built.inputs)
    got = imported_counts(built, folder)
    return None if want == got else Failure(recipe, want, got)


def made_small(failure: Failure, folder: Path) -> Failure:
    """The failure with as few blocks and oddities, and as small seeds, as still differ."""
    smallest = failure
    shrinking = True
    while shrinking:
        shrinking = False
        for smaller in _smaller(smallest.recipe):
            found = difference(smaller, folder)
            if found is not None and isinstance(found.got, str) == isinstance(failure.got, str):
                smallest, shrinking = found, True
                break
    return smallest


def _smaller(recipe: Recipe) -> list[Recipe]:
    blocks, oddities = recipe.blocks, recipe.oddities
    fewer = [replace(recipe, blocks=blocks[:i] + blocks[i + 1 :]) for i in range(len(blocks)) if len(blocks) > 1]
    fewer += [replace(recipe, oddities=oddities[:i] + oddities[i + 1 :]) for i in range(len(oddities))]
    for i, (kind, seed) in enumerate(blocks):
        tried = range(min(seed, SMALL_SEEDS))
        fewer += [replace(recipe, blocks=(*blocks[:i], (kind, low), *blocks[i + 1 :])) for low in tried]
    return fewer


def compare(
    graphs: int, seed: int, folder: Path, *, oddities: bool = True, kinds: Sequence[str] = tuple(sorted(BLOCKS))
) -> tuple[Counter[str], list[Failure]]:
    """How often each kind of block and oddity occurred in `graphs` random models, and what differed."""
    seen: Counter[str] = Counter()
    failures: list[Failure] = []
    for i in range(graphs):
        recipe = drawn(random.Random(f"{seed} {i}"), kinds)
        if not oddities:
            recipe = replace(recipe, oddities=())
        seen.update({kind for kind, _ in (*recipe.blocks, *recipe.oddities)})
        failure = difference(recipe, folder)
        if failure is not None:
            failures.append(failure)
    return seen, failures


def told(failure: Failure, *, whole: bool) -> str:
    """A failure as text."""
    lines = [f"differs: {failure.kind}", f"  build({failure.recipe})"]
    lines += [f"  want {failure.want}", f"  got  {failure.got}"]
    if whole:
        lines.append(as_text(build(failure.recipe).model))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=2000, help="models to build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--oddities", type=int, default=1, choices=(0, 1), help="0: only plain files")
    parser.add_argument("--kinds", default="", help=f"only these blocks, of {', '.join(BLOCKS)}")
    parser.add_argument("--shown", type=int, default=12, help="failures shown, made small, at most one of a kind")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    kinds = options.kinds.split(",") if options.kinds else sorted(BLOCKS)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        seen, failures = compare(options.graphs, options.seed, folder, oddities=bool(options.oddities), kinds=kinds)
        for kind, count in seen.most_common():
            print(f"{count:7d} {kind}")
        shown: set[str] = set()
        for failure in failures:
            if len(shown) < options.shown:
                small = made_small(failure, folder)
                recognised = f"{small.kind} {sorted({kind for kind, _ in small.recipe.blocks})}"
                if recognised not in shown:
                    shown.add(recognised)
                    print("\n" + told(small, whole=len(small.recipe.blocks) < 3))
    print(f"\n{options.graphs} models, {len(failures)} differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
