"""GemNet-T and GemNet-dT with the output blocks of each head."""

from __future__ import annotations

import math
from typing import Any, final

import torch

from farfield.potentials.batches import Batch
from farfield.potentials.gemnet.basis import CircularBasis, RadialBasis
from farfield.potentials.gemnet.blocks import EdgeEmbedding, InteractionBlock, OutputBlock
from farfield.potentials.gemnet.layers import Dense, Scaling, orthogonal
from farfield.potentials.gemnet.neighbours import Meetings, meetings
from farfield.potentials.gemnet.settings import GemnetSettings
from farfield.potentials.network import N_ELEMENTS, HeadTable, Local, Network

TITLES = {"gemnet-t": "GemNet-T", "gemnet-dt": "GemNet-dT"}


@final
class GemnetNetwork(Network):
    """GemNet with triplets (Gasteiger et al., arXiv 2106.08903).

    GemNet-T takes forces as the gradient of the energy; GemNet-dT predicts them along the
    edges, so they are of no energy, and do not sum to zero.

    Parameters
    ----------
    architecture
        ``"gemnet-t"`` or ``"gemnet-dt"``.
    size
        Widths and depths.
    table
        Its heads; each gets the output blocks of all interaction blocks.
    """

    exports = False
    reaches = False
    place: torch.Tensor

    def __init__(self, architecture: str, size: GemnetSettings, table: HeadTable) -> None:
        super().__init__()
        self.architecture = architecture
        self.title = TITLES[architecture]
        self.conservative = architecture == "gemnet-t"
        self.cutoff = size.cutoff
        self.table = table
        self.size = size
        cutoff, exponent = size.cutoff, size.envelope_exponent
        species = sorted(table.species(table.names[0]))
        place = torch.zeros(N_ELEMENTS, dtype=torch.long)
        place[species] = torch.arange(len(species))
        self.register_buffer("place", place, persistent=False)
        core: dict[str, torch.nn.Module] = {
            "radial": RadialBasis(size.n_radial, cutoff, exponent),
            "atoms": torch.nn.Embedding(len(species), size.atom_channels),
            "edges": EdgeEmbedding(size.atom_channels, size.n_radial, size.edge_channels),
            "for_triplets": Dense(size.n_radial, size.basis_channels, activated=False),
            "for_atoms": Dense(size.n_radial, size.basis_channels, activated=False),
            "for_output": Dense(size.n_radial, size.basis_channels, activated=False),
            "blocks": torch.nn.ModuleList(InteractionBlock(size) for _ in range(size.n_blocks)),
        }
        torch.nn.init.uniform_(core["atoms"].weight, -math.sqrt(3.0), math.sqrt(3.0))  # type: ignore[arg-type]
        self.core = torch.nn.ModuleDict(core)
        self.circular = CircularBasis(size.n_spherical, size.n_radial, cutoff, exponent)
        down = torch.empty(size.n_spherical, size.n_radial, size.basis_channels)
        self.circular_down = torch.nn.Parameter(orthogonal(down))
        self.readouts = torch.nn.ModuleList(self._new_readout() for _ in table.names)

    def _new_readout(self) -> torch.nn.ModuleList:
        direct = not self.conservative
        count = self.size.n_blocks + 1
        return torch.nn.ModuleList(OutputBlock(self.size, direct=direct) for _ in range(count))

    def forward(self, batch: Batch) -> Local:
        core, edges, n_atoms = self.core, batch.edges, len(batch.numbers)
        vectors = batch.vectors()  # (E, 3)
        distances = torch.linalg.vector_norm(vectors, dim=1)
        directions = vectors / distances[:, None]
        meet = meetings(batch)
        radial = core["radial"](distances)
        circular = self._circular(distances, directions, meet)
        bases = (core["for_triplets"](radial), core["for_atoms"](radial))
        h = core["atoms"](self.place[batch.numbers])
        m = core["edges"](h, radial, edges)
        states = [m]
        for block in core["blocks"].children():
            h, m = block(h, m, bases, circular, meet, edges)
            states.append(m)
        energies = h.new_zeros(n_atoms)
        along = distances.new_zeros(len(distances))
        head = batch.head_of_atom
        output = core["for_output"](radial)
        for index in batch.heads.unique().tolist():
            ours = (head == index).to(h.dtype)  # (N,)
            for block, state in zip(self.readouts[index], states, strict=True):
                energy, force = block(state, output, edges[1], n_atoms)
                energies = energies + ours * energy
                if force is not None:
                    along = along + ours[edges[1]] * force
        forces = None
        if not self.conservative:
            pushes = along[:, None] * directions
            forces = h.new_zeros(n_atoms, 3).index_add(0, edges[1], pushes)
        return Local(energies, h, forces)

    def _circular(
        self, distances: torch.Tensor, directions: torch.Tensor, meet: Meetings
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The two parts of the circular basis: (E, l, basis) of c → a, (E, K, l) of angles."""
        radial = torch.einsum("eln,lnb->elb", self.circular.radial(distances), self.circular_down)
        cosines = torch.einsum("ei,eki->ek", directions, directions[meet.others])
        return radial, self.circular.angular(cosines) * meet.exists[..., None]

    def measure_scales(self, batch: Batch) -> None:
        """Set all scaling factors, in the order of the layers, from one batch."""
        scalings = [module for module in self.modules() if isinstance(module, Scaling)]
        for scaling in scalings:
            scaling.measuring = True
        with torch.no_grad():
            self(batch)
        for scaling in scalings:
            scaling.measuring = False

    def shared_parameters(self) -> dict[str, torch.nn.Parameter]:
        early = {"circular_down": self.circular_down}
        return early | {f"core.{name}": value for name, value in self.core.named_parameters()}

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        if self.size.n_blocks == 1:
            return {}
        late = ("core.for_output.", *(f"core.blocks.{k}." for k in range(1, self.size.n_blocks)))
        shared = self.shared_parameters()
        return {name: value for name, value in shared.items() if not name.startswith(late)}

    def config(self) -> dict[str, Any]:
        return {"settings": self.size.model_dump(exclude={"dtype"})}
