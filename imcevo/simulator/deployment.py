"""How a chip that runs several networks gets their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from imcevo.errors import UserError, listed

Mode = Literal["resident", "swapped", "streamed", "by_volatility"]


@dataclass(frozen=True)
class Deployment:
    """Part of the scientific question: the same chip is good at one deployment and useless at another.

    Attributes:
        mode: ``resident``: all networks' weights are on chip together, nothing is loaded. ``swapped``: one network
            at a time, its weights programmed at every switch. ``streamed``: weights are written into the arrays layer
            by layer, every inference. ``by_volatility``: resident in non-volatile, streamed through volatile cells.
        inferences_per_switch: inferences between two switches; programming is spread over them (``swapped``).
    """

    mode: Mode
    inferences_per_switch: float | None = None

    def __post_init__(self) -> None:
        if self.mode not in get_args(Mode):
            allowed = listed(get_args(Mode))
            raise UserError("is not a deployment", key="deployment.mode", value=self.mode, allowed=allowed)
        given = self.inferences_per_switch
        if self.mode == "swapped" and (given is None or not given > 0):
            raise UserError(
                "swapped networks need the number of inferences between two switches",
                key="deployment.inferences_per_switch", value=given, allowed="numbers above 0",
            )  # fmt: skip
        if self.mode != "swapped" and given is not None:
            raise UserError(
                f"has no meaning for the deployment {self.mode!r}", key="deployment.inferences_per_switch", value=given
            )
