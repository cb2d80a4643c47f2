"""How a chip that runs several networks gets their weights, and how long it serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from imcevo.errors import UserError, listed

Mode = Literal["resident", "swapped", "streamed", "by_volatility"]
Execution = Literal["sequential", "pipelined"]
LARGEST_BATCH = 4096


@dataclass(frozen=True)
class Deployment:
    """Part of the scientific question: the same chip is good at one deployment and useless at another.

    Attributes:
        mode: ``resident``: all networks' weights are on chip together, nothing is loaded. ``swapped``: one network
            at a time, its weights programmed at every switch. ``streamed``: weights are written into the arrays layer
            by layer, every inference. ``by_volatility``: resident in non-volatile, streamed through volatile cells.
        inferences_per_switch: inferences between two switches; programming is spread over them (``swapped``).
        inferences_per_programming: inferences between two programmings of resident weights (drift, new weights);
            their energy is spread over them. None: programmed once in the chip's life.
        inferences_per_lifetime: inferences of one network that the chip must serve before its cells are worn; the
            energy of programming resident weights once is spread over them. None: nothing is required, and that
            energy is not counted.
        execution: ``sequential``: layer after layer. ``pipelined``: where weights stay in their arrays, all layers work
            at once, each on an inference of its own; streamed weights still run layer after layer.
        batch: inferences that run together; streamed weights are written once for all of them. Energies are per
            inference, latencies per batch.
    """

    mode: Mode
    inferences_per_switch: float | None = None
    inferences_per_programming: float | None = None
    inferences_per_lifetime: float | None = None
    execution: Execution = "sequential"
    batch: int = 1

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            allowed = listed(get_args(Mode))
            raise UserError("is not a deployment", key="deployment.mode", value=self.mode, allowed=allowed)
        if self.execution not in get_args(Execution):
            allowed = listed(get_args(Execution))
            raise UserError("is not an execution", key="deployment.execution", value=self.execution, allowed=allowed)
        if self.execution == "pipelined" and self.mode == "streamed":
            raise UserError(
                "needs weights that stay in their arrays", key="deployment.execution", value=self.execution,
                allowed='"sequential", or another mode than "streamed"',
            )  # fmt: skip
        if not 1 <= self.batch <= LARGEST_BATCH:
            allowed = f"whole numbers from 1 to {LARGEST_BATCH}"
            raise UserError("is out of range", key="deployment.batch", value=self.batch, allowed=allowed)
        if self.mode == "swapped" and self.inferences_per_switch is None:
            raise UserError(
                "swapped networks need the number of inferences between two switches",
                key="deployment.inferences_per_switch", value=None, allowed="numbers above 0",
            )  # fmt: skip
        if self.mode != "swapped":
            self._refuse("inferences_per_switch")
        if self.mode not in ("resident", "by_volatility"):
            self._refuse("inferences_per_programming")
        for name in ("inferences_per_switch", "inferences_per_programming", "inferences_per_lifetime"):
            given = getattr(self, name)
            if given is not None and not given > 0:
                raise UserError("is not positive", key=f"deployment.{name}", value=given, allowed="numbers above 0")
        lifetime = self.inferences_per_lifetime
        for name in ("inferences_per_switch", "inferences_per_programming"):
            given = getattr(self, name)
            if given is not None and lifetime is not None and given > lifetime:
                raise UserError(
                    "is more than the chip's lifetime", key=f"deployment.{name}", value=given,
                    allowed=f"at most inferences_per_lifetime = {lifetime:g}",
                )  # fmt: skip

    def _refuse(self, name: str) -> None:
        if getattr(self, name) is not None:
            raise UserError(
                f"has no meaning for the deployment {self.mode!r}", key=f"deployment.{name}", value=getattr(self, name)
            )

    @property
    def programmings_per_inference(self) -> float:
        """How often stored (not streamed) weights are programmed per inference."""
        spread = self.inferences_per_switch or self.inferences_per_programming or self.inferences_per_lifetime
        return 1.0 / spread if spread else 0.0
