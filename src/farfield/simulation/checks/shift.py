"""Has the simulation left the training domain?"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from farfield.potentials import Potential
from farfield.shifts import Profile, diagnose, observe
from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.structures import without_labels


@final
class Shift(Check):
    """Fires when the combined quantile of the running structure is high for a whole window.

    Parameters
    ----------
    profile
        Profile of the training set.
    potential
        The model that the profile was made with; None for a profile of graphs alone.
    quantile
        The largest median over a window.
    window
        Looks in a window.
    stride
        Steps between looks.
    stops
        Whether it ends the simulation.
    """

    name = "shift"

    def __init__(
        self,
        profile: Profile,
        potential: Potential | None,
        *,
        quantile: float,
        window: int,
        stride: int,
        stops: bool,
    ) -> None:
        self.stride = stride
        self.stops = stops
        self._profile = profile
        self._potential = potential
        self._limit = quantile
        self._window = window
        self._recent: list[float] = []
        self._axis = ""

    def refined(self, frame: Frame) -> None:
        self._recent = []

    def look(self, frame: Frame) -> Finding | None:
        bare = without_labels([frame.atoms])
        seen = observe(bare, potential=self._potential, cutoff=self._profile.cutoff)
        found = diagnose(bare, seen, self._profile).structures[0]
        self._axis = found.axis
        self._recent = [*self._recent, found.quantile][-self._window :]
        middle = float(np.median(self._recent))
        if len(self._recent) < self._window or middle <= self._limit:
            return None
        return Finding(
            f"the structure lies outside the training domain along {self._axis}: quantile "
            f"{middle:.3f}, beyond {self._limit:g}",
            value=middle,
            limit=self._limit,
        )

    def state(self) -> dict[str, Any]:
        return {"recent": self._recent, "axis": self._axis}

    def restore(self, state: dict[str, Any]) -> None:
        self._recent, self._axis = list(state["recent"]), state["axis"]

    def figures(self) -> dict[str, float]:
        return {"shift_quantile": float(np.median(self._recent))} if self._recent else {}
