"""A MACE in which every atom has a radius of its own, which moves smoothly with its neighbours.

The radius r_i of atom i solves

    n_i(r) + s [u(r) - u(r_trained)] = t_i,      u(r) = log (r - lowest) / (largest - r),

where n_i(r) sums the envelope over the neighbours of the atom, t_i is what atoms of its element
had in training at the trained radius, and s is the stiffness. The left side rises with r from
minus to plus infinity, so there is one solution, strictly between the limits, and it is as smooth
in the positions as the envelope is. An atom with the neighbours of training keeps the trained
radius. An edge ends at the mean of its two atoms' radii.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import torch

from farfield.errors import CapabilityError
from farfield.potentials.views import view

BISECTIONS = 45  # they leave 1e-13 of the bracket; a Newton step follows


def with_atom_radii(
    module: Any, targets: Mapping[int, float], lowest: float, largest: float, stiffness: float
) -> Any:
    """Return a view of ``module`` with a radius per atom, between ``lowest`` and ``largest`` (Å).

    Parameters
    ----------
    module
        A MACE that can be tapered.
    targets
        Mean sum of an atom's envelopes in training, by atomic number. Atoms of other elements
        keep the trained radius.
    stiffness
        How many neighbours it takes to move a radius: the larger, the less it moves.

    Raises
    ------
    CapabilityError
        The basis is of transformed distances, or a pair repulsion has envelopes of its own.
    """
    embedding = module.radial_embedding
    if hasattr(module, "pair_repulsion_fn") or hasattr(embedding, "distance_transform"):
        raise CapabilityError(
            "a MACE with a pair repulsion or transformed distances takes no radius per atom: "
            "use one radius per structure"
        )
    known = [targets.get(int(number), math.nan) for number in module.atomic_numbers]
    changed = view(module)
    changed.radial_embedding = AtomRadiiEmbedding(
        embedding, torch.tensor(known, dtype=torch.float64), lowest, largest, stiffness
    )
    changed.r_max = torch.full_like(module.r_max, largest)
    return changed


@final
class AtomRadiiEmbedding(torch.nn.Module):
    """MACE's radial embedding with an envelope that ends at the mean radius of the two atoms.

    First derivatives with respect to the positions are exact, by the implicit function theorem;
    second ones are not, so a model with it is not trained.
    """

    targets: torch.Tensor

    def __init__(
        self,
        embedding: Any,
        targets: torch.Tensor,
        lowest: float,
        largest: float,
        stiffness: float,
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.bessel_fn = embedding.bessel_fn
        self.cutoff_fn = embedding.cutoff_fn
        trained = self.cutoff_fn.r_max
        self.register_buffer("targets", targets.to(trained))
        self._lowest, self._width = lowest, largest - lowest
        self._stiffness = stiffness
        share = (float(trained) - lowest) / self._width
        self._trained = math.log(share / (1.0 - share))

    def forward(
        self,
        edge_lengths: torch.Tensor,
        node_attrs: torch.Tensor,
        edge_index: torch.Tensor,
        atomic_numbers: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Basis times envelope, shape (E, basis), as MACE's own module gives it."""
        radii = self.radii(edge_lengths, node_attrs, edge_index)  # (N,)
        ends = (radii[edge_index[0]] + radii[edge_index[1]]) / 2  # (E,)
        envelope = self._envelope(edge_lengths, ends[:, None])
        radial = self.bessel_fn(edge_lengths)
        if not getattr(self.embedding, "apply_cutoff", True):
            return radial, envelope
        return radial * envelope, None

    def radii(
        self, edge_lengths: torch.Tensor, node_attrs: torch.Tensor, edge_index: torch.Tensor
    ) -> torch.Tensor:
        """Radius of every atom, shape (N,), Å, with its gradient."""
        lengths, atoms = edge_lengths[:, 0], edge_index[1]
        known: torch.Tensor = self.targets
        targets = known[node_attrs.argmax(dim=1)]  # (N,)
        free = torch.isfinite(targets)
        targets = torch.nan_to_num(targets)
        with torch.no_grad():
            counts = torch.zeros_like(targets).index_add(0, atoms, torch.ones_like(lengths))
            low = self._trained + (targets - counts) / self._stiffness
            high = self._trained + targets / self._stiffness
            for _ in range(BISECTIONS):
                middle = (low + high) / 2
                above = self._excess(middle, lengths, atoms, targets) > 0.0
                high, low = torch.where(above, middle, high), torch.where(above, low, middle)
            middle = (low + high) / 2
        with torch.enable_grad():
            place = middle.clone().requires_grad_(True)
            excess = self._excess(place, lengths.detach(), atoms, targets)
            slope = torch.autograd.grad(excess.sum(), place)[0]
        found = middle - self._excess(middle, lengths, atoms, targets) / slope
        return self._radius(torch.where(free, found, self._trained))

    def _excess(
        self,
        place: torch.Tensor,
        lengths: torch.Tensor,
        atoms: torch.Tensor,
        targets: torch.Tensor,
    ) -> torch.Tensor:
        """Neighbours at u = ``place`` beyond the target, with the stiffness, shape (N,)."""
        weights = self._envelope(lengths, self._radius(place)[atoms])
        sums = torch.zeros_like(targets).index_add(0, atoms, weights)
        return sums - targets + self._stiffness * (place - self._trained)

    def _radius(self, place: torch.Tensor) -> torch.Tensor:
        return self._lowest + self._width * torch.sigmoid(place)

    def _envelope(self, lengths: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
        power = self.cutoff_fn.p.to(torch.int)
        envelope: torch.Tensor = self.cutoff_fn.calculate_envelope(lengths, ends, power)
        return envelope
