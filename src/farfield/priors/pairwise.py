"""Energy, forces and stress of a sum over neighbours; forces are derived from its energy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.graphs import Graph, neighbour_graph
from farfield.priors.function import FunctionCalculator, Results

PairEnergy = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
VectorEnergy = Callable[[torch.Tensor, Graph], torch.Tensor]
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def pair_calculator(pair_energy: PairEnergy, cutoff: Callable[[Atoms], float]) -> Calculator:
    """Return a calculator of E = ½ Σ over neighbours of ``pair_energy(r, z_i, z_j)``.

    Parameters
    ----------
    pair_energy
        Takes distances (E,) in Å and atomic numbers (E,), (E,) of E pairs and returns their
        energies (E,) in eV; zero from the cutoff on.
    cutoff
        Takes a structure and returns how far its pairs reach, Å.
    """

    def energy(between: torch.Tensor, graph: Graph) -> torch.Tensor:
        numbers = torch.from_numpy(graph.numbers)
        first, second = numbers[graph.senders], numbers[graph.receivers]
        return 0.5 * pair_energy(between.norm(dim=1), first, second).sum()

    return neighbour_calculator(energy, cutoff)


def neighbour_calculator(energy: VectorEnergy, cutoff: Callable[[Atoms], float]) -> Calculator:
    """Return a calculator of an energy that depends on the vectors between neighbours.

    Parameters
    ----------
    energy
        Takes the vectors (E, 3) from sender to receiver in Å, and the graph whose edges they
        are, and returns the energy of the structure in eV; smooth where edges come and go.
    cutoff
        Takes a structure and returns how far its neighbours reach, Å.
    """

    def function(atoms: Atoms) -> Results:
        return _derive(energy, neighbour_graph(atoms, cutoff(atoms)), atoms)

    return FunctionCalculator(function, ("energy", "forces", "stress"))


def switch(r: torch.Tensor, onset: torch.Tensor | float, end: torch.Tensor | float) -> torch.Tensor:
    """Return 1 below ``onset`` and 0 above ``end``, with two continuous derivatives."""
    t = ((r - onset) / (end - onset)).clamp(0.0, 1.0)
    return 1.0 - t**3 * (10.0 - 15.0 * t + 6.0 * t**2)


def _derive(energy_of: VectorEnergy, graph: Graph, atoms: Atoms) -> dict[str, Any]:
    senders = torch.from_numpy(graph.senders)
    receivers = torch.from_numpy(graph.receivers)
    positions = torch.from_numpy(graph.positions)
    # (E, 3) + (E, 3) @ (3, 3) -> (E, 3), from the sender to the image of the receiver
    images = torch.from_numpy(graph.shifts).double() @ torch.from_numpy(graph.cell)
    between = (positions[receivers] - positions[senders] + images).requires_grad_()
    energy = energy_of(between, graph)
    (slope,) = torch.autograd.grad(energy, between)  # (E, 3), eV/Å
    forces = torch.zeros_like(positions)
    forces.index_add_(0, senders, slope)
    forces.index_add_(0, receivers, -slope)
    results = {"energy": float(energy.detach()), "forces": forces.numpy()}
    if atoms.pbc.all():
        virial = between.detach().T @ slope / atoms.get_volume()  # (3, E) @ (E, 3) -> (3, 3)
        results["stress"] = torch.stack([virial[index] for index in _VOIGT]).numpy()
    return results
