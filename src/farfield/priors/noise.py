"""Forces that carry no information, alone or on top of another prior; for studies."""

from __future__ import annotations

import math
from typing import Literal, final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import ConfigError
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results
from farfield.priors.sum import SumPrior

CUTOFF = 6.0  # Å; the noise on an atom is made of the directions to its neighbours
WAVELENGTH = 1e-3  # Å, about; structures that differ by more have independent noise
_NEGLIGIBLE = 1e-12


@final
class NoisePrior(Prior):
    """Noise in place of forces, of a given size; its energy is zero everywhere.

    The force on an atom is Σ over neighbours of a direction times a weight, and the weights
    oscillate so fast with the distance that they are random numbers to any model. So the
    noise turns with the structure, follows its atoms when they are renumbered, and comes back
    the same for the same structure: all that a prior owes, except being the gradient of its
    energy. A component's distribution over structures is close to a Gaussian of mean zero.
    There is none where there is no direction: on a lone atom, off the axis of a linear
    molecule and off the plane of a planar one.

    Parameters
    ----------
    rms
        Root mean square over the three components, eV/Å.
    seed
        Another seed gives independent noise.
    """

    elements = None
    periodic = True
    conservative = False
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, rms: float, seed: int = 0) -> None:
        if not (rms > 0.0 and math.isfinite(rms)):
            raise ConfigError(f"noise with rms={rms} eV/Å: it must be positive")
        if seed < 0:
            raise ConfigError(f"noise with seed={seed}: it must not be negative")
        self.rms = float(rms)
        self.seed = int(seed)
        self.name = f"noise_{rms:g}".replace(".", "_").replace("-", "m").replace("+", "")
        if seed:
            self.name += f"_seed{seed}"
        self.level_of_theory = f"noise of {self.rms!r} eV/Å rms (seed {self.seed})"

    def calculator(self) -> Calculator:
        """Return a new calculator of this noise."""
        return FunctionCalculator(self._evaluate)

    def _evaluate(self, atoms: Atoms) -> Results:
        from farfield.graphs import neighbour_graph

        graph = neighbour_graph(atoms, CUTOFF)
        ends = graph.positions[graph.receivers] + graph.shifts @ graph.cell  # (E, 3)
        directions = (ends - graph.positions[graph.senders]) / graph.distances[:, None]
        fade = np.cos(0.5 * np.pi * graph.distances / CUTOFF)  # (E,), from 1 to 0
        pairs = graph.numbers[graph.senders], graph.numbers[graph.receivers]
        waves = math.sqrt(2.0) * np.cos(self._phases(*pairs, graph.distances))  # (E,), rms 1
        forces = np.zeros((graph.n_atoms, 3))
        norms = np.zeros(graph.n_atoms)
        np.add.at(forces, graph.senders, (fade * waves)[:, None] * directions)
        np.add.at(norms, graph.senders, fade**2)
        scale = math.sqrt(3.0) * self.rms / np.sqrt(norms + _NEGLIGIBLE)
        return {"energy": 0.0, "forces": forces * scale[:, None]}

    def _phases(
        self,
        first: npt.NDArray[np.int64],
        second: npt.NDArray[np.int64],
        distances: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Return k r + φ for each pair (E,); k and φ are drawn for each pair of elements."""
        frequency = np.empty_like(distances)
        phase = np.empty_like(distances)
        for pair in sorted(set(zip(first.tolist(), second.tolist(), strict=True))):
            drawn = np.random.default_rng((self.seed, *pair)).uniform(size=2)
            chosen = (first == pair[0]) & (second == pair[1])
            frequency[chosen] = 2.0 * math.pi / WAVELENGTH * (1.0 + 0.5 * drawn[0])
            phase[chosen] = 2.0 * math.pi * drawn[1]
        return np.asarray(frequency * distances + phase)


def noisy(prior: Prior, rms: float, seed: int = 0) -> SumPrior:
    """Return ``prior`` with noise of ``rms`` (eV/Å) on its forces; its energy stays.

    The same as the name ``PRIOR+noise-RMS`` on the command line.
    """
    return SumPrior(prior, NoisePrior(rms, seed))
