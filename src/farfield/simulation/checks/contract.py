"""The contract of a check: it looks at a running simulation and says what is wrong."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms, units

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """A simulation of N atoms at one step.

    Attributes
    ----------
    step, time
        Number of steps done; fs.
    atoms
        Positions, cell and momenta; a check must not change them.
    energy
        Potential energy, eV.
    forces
        Shape (N, 3), eV/Å.
    """

    step: int
    time: float
    atoms: Atoms
    energy: float
    forces: Floats

    @property
    def kinetic_energy(self) -> float:
        """Kinetic energy, eV."""
        return float(self.atoms.get_kinetic_energy())

    @property
    def temperature(self) -> float:
        """Of all 3N degrees of freedom, K."""
        return 2.0 * self.kinetic_energy / (3.0 * len(self.atoms) * units.kB)


@dataclass(frozen=True)
class Finding:
    """What a check found wrong.

    Attributes
    ----------
    message
        One sentence without a full stop.
    atoms
        Indices of the atoms concerned; empty when it concerns all.
    value, limit
        The figure and the limit it crossed, in the unit that ``message`` names; or None.
    """

    message: str
    atoms: tuple[int, ...] = ()
    value: float | None = None
    limit: float | None = None


class Check(ABC):
    """One thing that can go wrong in a simulation. Each simulation has its own checks.

    A concrete class is final. What it remembers from look to look is in :meth:`state`, so
    that a simulation that is continued is judged as one that was never stopped.

    Attributes
    ----------
    name
        A word for the record.
    stride
        Steps between two looks; the start is looked at too.
    stops
        Whether a finding ends the simulation; otherwise it is noted as an alarm.
    """

    name: str
    stride: int
    stops: bool = True

    def begin(self, frame: Frame) -> None:  # noqa: B027 - some compare with nothing
        """Take the start (step 0) as the standard to compare with."""

    def refined(self, frame: Frame) -> None:  # noqa: B027 - some do not depend on the model
        """Go on with a model that was refined anew, whose answer for this step is in ``frame``.

        What depends on the model is compared with this step from now on, and not with an
        earlier model's; the topology stays that of the start.
        """

    @abstractmethod
    def look(self, frame: Frame) -> Finding | None:
        """Say what is wrong at this step, or None."""

    def state(self) -> dict[str, Any]:
        """Plain values that :meth:`restore` takes back."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:  # noqa: B027 - some remember nothing
        """Go on from :meth:`state`; :meth:`begin` was called before."""

    def figures(self) -> dict[str, float]:
        """What was measured so far, units in the names, for the record."""
        return {}
