"""GemNet's blocks: embedding of edges, interaction by triplets, update of atoms, output.

Figure 4 of the paper (Gasteiger et al., arXiv 2106.08903) shows them; in its words GemNet-T
has one-hop message passing (T-MP) alone. Edges c → a carry messages; h are atoms, m are edges.
"""

from __future__ import annotations

from typing import final

import torch

from farfield.potentials.gemnet.layers import (
    INV_SQRT_2,
    Dense,
    Residual,
    Scaling,
    orthogonal,
    residuals,
)
from farfield.potentials.gemnet.neighbours import Meetings
from farfield.potentials.gemnet.settings import GemnetSettings


@final
class EdgeEmbedding(torch.nn.Module):
    """An edge from its two atoms and what is known of it (Fig. 4, "Edge embedding")."""

    def __init__(self, atom: int, known: int, edge: int) -> None:
        super().__init__()
        self.dense = Dense(2 * atom + known, edge, activated=True)

    def forward(self, h: torch.Tensor, known: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        """Shapes (N, atom), (E, known) and (2, E) to (E, edge)."""
        embedded: torch.Tensor = self.dense(torch.cat([h[edges[0]], h[edges[1]], known], dim=1))
        return embedded


@final
class BilinearLayer(torch.nn.Module):
    """The "efficient bilinear layer" of the paper's section on GemNet.

    The sum over triplets of basis × message is taken before the product with the weights:
    first over the edges b → a, per order l of the angle; then with the radial part; then with
    the weights.
    """

    def __init__(self, inputs: int, basis: int, outputs: int) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(orthogonal(torch.empty(inputs, basis, outputs)))

    def forward(
        self, radial: torch.Tensor, angular: torch.Tensor, messages: torch.Tensor
    ) -> torch.Tensor:
        """Combine to (E, outputs).

        Parameters
        ----------
        radial
            Of the edges c → a, shape (E, l, basis).
        angular
            Of the angles at a, zero where there is no edge b → a, shape (E, K, l).
        messages
            Of the edges b → a, shape (E, K, inputs).
        """
        summed = torch.matmul(angular.mT, messages)  # (E, l, inputs)
        joined = torch.matmul(radial.mT, summed)  # (E, basis, inputs)
        outputs = self.weight.shape[2]
        weight = self.weight.transpose(0, 1).reshape(-1, outputs)
        return torch.matmul(joined.flatten(1), weight)


@final
class TripletInteraction(torch.nn.Module):
    """Messages of edges b → a to the edge c → a and back (Fig. 4, "T-MP")."""

    def __init__(self, size: GemnetSettings) -> None:
        super().__init__()
        edge, bilinear = size.edge_channels, size.bilinear_channels
        self.dense = Dense(edge, edge, activated=True)
        self.of_radial = Dense(size.basis_channels, edge, activated=False)
        self.scale_radial = Scaling()
        self.down = Dense(edge, size.triplet_channels, activated=True)
        self.bilinear = BilinearLayer(size.triplet_channels, size.basis_channels, bilinear)
        self.scale_sum = Scaling()
        self.up = Dense(bilinear, edge, activated=True)
        self.up_reverse = Dense(bilinear, edge, activated=True)

    def forward(
        self,
        m: torch.Tensor,
        radial: torch.Tensor,
        circular: tuple[torch.Tensor, torch.Tensor],
        meet: Meetings,
    ) -> torch.Tensor:
        """Edges (E, edge), radial basis (E, basis), the two parts of the circular basis."""
        x = self.dense(m)
        x = self.down(self.scale_radial(x * self.of_radial(radial), x))  # (E, triplet)
        summed = self.bilinear(*circular, x[meet.others])  # (E, bilinear)
        summed = self.scale_sum(summed, x)
        both: torch.Tensor = (
            self.up(summed) + self.up_reverse(summed)[meet.reverse]
        )  # "symmetric" messages
        return both * INV_SQRT_2


@final
class AtomUpdate(torch.nn.Module):
    """Atoms from the edges that lead into them (Fig. 4, "Atom emb." and "Output")."""

    def __init__(self, size: GemnetSettings) -> None:
        super().__init__()
        self.of_radial = Dense(size.basis_channels, size.edge_channels, activated=False)
        self.scale_sum = Scaling()
        self.dense = Dense(size.edge_channels, size.atom_channels, activated=True)
        self.residuals = residuals(size.atom_channels, size.n_atom)

    def forward(
        self, m: torch.Tensor, radial: torch.Tensor, receivers: torch.Tensor, n_atoms: int
    ) -> torch.Tensor:
        """Edges (E, edge) and their radial basis (E, basis) to atoms (N, atom)."""
        x = m * self.of_radial(radial)
        summed = x.new_zeros(n_atoms, x.shape[1]).index_add(0, receivers, x)
        updated: torch.Tensor = self.residuals(self.dense(self.scale_sum(summed, m)))
        return updated


@final
class InteractionBlock(torch.nn.Module):
    """Update edges by triplets, then atoms by edges, then edges by atoms (Fig. 4)."""

    def __init__(self, size: GemnetSettings) -> None:
        super().__init__()
        edge = size.edge_channels
        self.skip = Dense(edge, edge, activated=True)
        self.triplets = TripletInteraction(size)
        self.before_skip = residuals(edge, size.n_before_skip)
        self.after_skip = residuals(edge, size.n_after_skip)
        self.atoms = AtomUpdate(size)
        self.by_atoms = EdgeEmbedding(size.atom_channels, edge, edge)
        self.after_atoms = residuals(edge, size.n_after_atoms)

    def forward(
        self,
        h: torch.Tensor,
        m: torch.Tensor,
        bases: tuple[torch.Tensor, torch.Tensor],
        circular: tuple[torch.Tensor, torch.Tensor],
        meet: Meetings,
        edges: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return new atoms and edges; ``bases`` are radial, for triplets and for atoms."""
        x = (self.skip(m) + self.triplets(m, bases[0], circular, meet)) * INV_SQRT_2
        m = self.after_skip((m + self.before_skip(x)) * INV_SQRT_2)
        h = (h + self.atoms(m, bases[1], edges[1], len(h))) * INV_SQRT_2
        by_atoms = self.after_atoms(self.by_atoms(h, m, edges))
        return h, (m + by_atoms) * INV_SQRT_2


@final
class OutputBlock(torch.nn.Module):
    """Energies of atoms and, for GemNet-dT, forces along edges (Fig. 4, "Output")."""

    def __init__(self, size: GemnetSettings, *, direct: bool) -> None:
        super().__init__()
        edge = size.edge_channels
        self.atoms = AtomUpdate(size)
        self.energy = Dense(size.atom_channels, 1, activated=False)
        self.forces: torch.nn.Sequential | None = None
        if direct:
            self.of_radial = Dense(size.basis_channels, edge, activated=False)
            self.scale = Scaling()
            layers = [
                Dense(edge, edge, activated=True),
                *[Residual(edge) for _ in range(size.n_atom)],
            ]
            self.forces = torch.nn.Sequential(*layers, Dense(edge, 1, activated=False))

    def forward(
        self, m: torch.Tensor, radial: torch.Tensor, receivers: torch.Tensor, n_atoms: int
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Energies of atoms (N,), and forces along edges (E,) or None."""
        energies = self.energy(self.atoms(m, radial, receivers, n_atoms)).squeeze(1)
        if self.forces is None:
            return energies, None
        return energies, self.forces(self.scale(m * self.of_radial(radial), m)).squeeze(1)
