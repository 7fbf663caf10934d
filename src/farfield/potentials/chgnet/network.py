"""CHGNet's layers with a readout for each head."""

from __future__ import annotations

import copy
import math
from typing import Any, final

import torch

from farfield.errors import CapabilityError
from farfield.potentials.chgnet.collate import Batch
from farfield.potentials.chgnet.library import N_ELEMENTS, build
from farfield.potentials.torch_potential import Output

MAIN = "reference"
FIRST = 1.0  # depth of the first layer; the embeddings have 0


@final
class HeadedNetwork(torch.nn.Module):
    """A CHGNet taken apart: its message-passing layers, and per head a readout and energies.

    Parameters
    ----------
    core
        A :class:`chgnet.model.model.CHGNet`. It is taken apart in place.
    """

    energies: torch.Tensor

    def __init__(self, core: Any) -> None:
        super().__init__()
        _require_supported(core)
        self.heads: tuple[str, ...] = (MAIN,)
        self.arguments = {**core.model_args, "composition_model": "MPtrj"}
        table = torch.zeros(1, N_ELEMENTS, dtype=torch.float64)
        if core.composition_model is not None:
            table = core.composition_model.fc.weight.detach().double()
        self.register_buffer("energies", table)  # (heads, elements), eV
        self.readouts = torch.nn.ModuleList([core.mlp])
        core.mlp = core.composition_model = None
        self.core = core
        self.eval()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> HeadedNetwork:
        """Build one with random weights."""
        network = cls(build(config["arguments"]))
        for name in config["heads"][1:]:
            network.add_head(name, {}, 1.0)
        network.heads = tuple(config["heads"])
        return network

    def config(self) -> dict[str, Any]:
        """Plain values from which :meth:`from_config` builds it."""
        return {"arguments": self.arguments, "heads": list(self.heads)}

    def add_head(self, name: str, energies: dict[int, float], scale: float) -> None:
        """Append a head whose readout is ``scale`` times the main head's.

        Parameters
        ----------
        name
            The new head.
        energies
            Its isolated-atom energies, eV, by atomic number; not a number where one is left out.
        scale
            How large its forces are, relative to the main head's.
        """
        readout = copy.deepcopy(self.readouts[0])
        last = [layer for layer in readout.modules() if isinstance(layer, torch.nn.Linear)][-1]
        with torch.no_grad():
            for parameter in last.parameters():
                parameter.mul_(scale)
        row = [energies.get(number, math.nan) for number in range(1, N_ELEMENTS + 1)]
        self.readouts.append(readout)
        self.energies = torch.cat([self.energies, self.energies.new_tensor([row])])
        self.heads = (*self.heads, name)

    def convert(self, dtype: torch.dtype | None, device: str) -> HeadedNetwork:
        """Change type and device in place; the energies of elements stay in float64."""
        energies = self.energies
        self.to(device=device, dtype=dtype)
        self.energies = energies.to(device)
        return self

    def whole(self, head: str) -> torch.nn.Module:
        """Put a CHGNet together that has this head's readout and energies."""
        index = self.heads.index(head)
        module: Any = build(self.arguments)
        state = dict(self.core.state_dict())
        state |= {f"mlp.{key}": value for key, value in self.readouts[index].state_dict().items()}
        energies = self.energies[index : index + 1]
        state["composition_model.fc.weight"] = energies.nan_to_num(0.0)  # chgnet sums over all
        module.load_state_dict(state)  # in float32, the only type that chgnet runs in
        return module  # type: ignore[no-any-return]

    def forward(self, batch: Batch, *, training: bool, stress: bool) -> Output:
        """Run a batch; with ``training``, gradients of all outputs reach the parameters."""
        n_structures = len(batch.heads)
        with torch.enable_grad():
            positions = batch.positions.detach().requires_grad_(True)
            strain = positions.new_zeros(n_structures, 3, 3, requires_grad=stress)
            senders, receivers = batch.edges[:, 0], batch.edges[:, 1]  # (E,)
            vectors = positions.index_select(0, senders) - positions.index_select(0, receivers)
            vectors = vectors - batch.displacements  # (E, 3)
            if stress:
                deformation = strain.index_select(0, batch.owners[senders])  # (E, 3, 3)
                vectors = vectors + torch.einsum("ei,eij->ej", vectors, deformation)
            features = self.features(batch, vectors)
            energy = self._energy(batch, features)
            sought = [positions, strain] if stress else [positions]
            gradients = torch.autograd.grad(energy.sum(), sought, create_graph=training)
        return Output(
            energy=energy,
            forces=-gradients[0],
            features=features,
            stress=gradients[1] / batch.volumes[:, None, None] if stress else None,
        )

    def features(self, batch: Batch, vectors: torch.Tensor) -> torch.Tensor:
        """Node features after the last layer, shape (N, F), from edge vectors, (E, 3)."""
        core = self.core
        lengths = torch.linalg.vector_norm(vectors, dim=1)  # (E,)
        bond_lengths = lengths.index_select(0, batch.edge_of_bond)  # (U,)
        basis = core.bond_basis_expansion
        atom_basis = basis.rbf_expansion_ag(bond_lengths)  # (U, radial)
        atoms = core.atom_embedding(batch.numbers - 1)  # (N, F)
        bonds = core.bond_embedding(atom_basis)  # (U, F)
        weights = core.bond_weights_ag(atom_basis)  # (U, F)
        has_angles = len(batch.angles) > 0
        if has_angles:
            directions = vectors / lengths[:, None]  # (E, 3)
            first, second = (directions.index_select(0, column) for column in batch.angle_edges.T)
            angles = core.angle_embedding(core.angle_basis_expansion(first, second))  # (A, F)
            angle_weights = core.bond_weights_bg(basis.rbf_expansion_bg(bond_lengths))  # (U, F)
        last = len(core.atom_conv_layers) - 1
        for index, layer in enumerate(core.atom_conv_layers):
            atoms = layer(
                atom_feas=atoms,
                bond_feas=bonds,
                bond_weights=weights,
                atom_graph=batch.edges,
                directed2undirected=batch.bond_of_edge,
            )
            if not has_angles or index == last:
                continue
            bonds = core.bond_conv_layers[index](
                atom_feas=atoms,
                bond_feas=bonds,
                bond_weights=angle_weights,
                angle_feas=angles,
                bond_graph=batch.angles,
            )
            if index < last - 1:  # nothing takes the angles of the last update
                angles = core.angle_layers[index](
                    atom_feas=atoms, bond_feas=bonds, angle_feas=angles, bond_graph=batch.angles
                )
        features: torch.Tensor = atoms if core.readout_norm is None else core.readout_norm(atoms)
        return features

    def _energy(self, batch: Batch, features: torch.Tensor) -> torch.Tensor:
        """Total energies, shape (B,), in float64: those of the elements have many digits."""
        head = batch.heads[batch.owners]  # (N,)
        per_atom = self.energies[head, batch.numbers - 1]  # (N,)
        for index in batch.heads.unique().tolist():
            rows = torch.nonzero(head == index).squeeze(1)
            values = self.readouts[index](features[rows]).squeeze(1).double()
            per_atom = per_atom.index_add(0, rows, values)
        return per_atom.new_zeros(len(batch.heads)).index_add(0, batch.owners, per_atom)

    def shared_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters of the representation by name, those of earlier layers first.

        Two kinds that no energy depends on are left out: the readout of magnetic moments
        (``site_wise``), and the last update of the angles, which nothing takes.
        """
        idle = ("site_wise.", f"angle_layers.{len(self.core.angle_layers) - 1}.")
        found = [
            (name, value)
            for name, value in self.core.named_parameters()
            if not name.startswith(idle)
        ]
        found.sort(key=lambda item: _depth(item[0]))
        return {f"core.{name}": value for name, value in found}

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Those of them that belong to the embeddings and the first layer of each kind."""
        shared = self.shared_parameters()
        return {
            name: value
            for name, value in shared.items()
            if _depth(name.removeprefix("core.")) <= FIRST
        }


def _depth(name: str) -> float:
    """Number of the layer that a parameter of CHGNet belongs to."""
    part, number = name.split(".")[:2]
    if part in ("atom_conv_layers", "bond_conv_layers", "angle_layers"):
        return FIRST + int(number)
    return math.inf if part == "readout_norm" else 0.0


def _require_supported(core: Any) -> None:
    """Raise unless the model is of the kind that all of chgnet's pretrained models are now."""
    reasons = {
        "reads out a pooled structure, not atoms (mlp_first=False)": not core.mlp_first,
        "gives total energies (is_intensive=False)": not core.is_intensive,
        "leaves out bond or angle updates": None in [*core.bond_conv_layers, *core.angle_layers],
        "has mlp_out_bias, whose energy jumps when an angle appears (as in version 0.2.0)": any(
            layer.mlp_out.layers[-1].bias is not None for layer in core.atom_conv_layers
        ),
        "has a composition model other than AtomRef per atom": core.composition_model is not None
        and not (
            type(core.composition_model).__name__ == "AtomRef"
            and core.composition_model.is_intensive
        ),
    }
    for reason, holds in reasons.items():
        if holds:
            raise CapabilityError(
                f"this CHGNet {reason}, which farfield's adapter cannot run: use a model such as "
                "chgnet's 0.3.0, or give chgnet's own ASE calculator as module:Name"
            )
