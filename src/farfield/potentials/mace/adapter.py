"""MACE models, single- or multi-head, trained here or elsewhere, as potentials."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import torch

from farfield.files import atomic
from farfield.graphs import Graph
from farfield.potentials import archive
from farfield.potentials.contract import (
    Capability,
    CutoffMode,
)
from farfield.potentials.mace.collate import Batch, collate
from farfield.potentials.mace.config import build, plain_config
from farfield.potentials.mace.heads import with_head
from farfield.potentials.mace.library import contained, mace_scripts
from farfield.potentials.mace.radius import at_radius, modes_of
from farfield.potentials.precision import default_dtype
from farfield.potentials.torch_potential import Output, TorchPotential

ARCHITECTURE = "mace"
EMBEDDINGS = ("node_embedding.", "joint_embedding.", "radial_embedding.")


@final
class MacePotential(TorchPotential):
    """A mace-torch model behind farfield's contract.

    Parameters
    ----------
    module
        Any MACE model of mace-torch.
    metadata
        How it was trained: plain values, kept in its file.
    """

    capabilities = frozenset(Capability)
    conservative = True
    atoms_per_batch = 400

    def __init__(self, module: Any, metadata: dict[str, Any] | None = None) -> None:
        super().__init__(module, float(module.r_max), metadata)
        self.cutoff_modes: frozenset[CutoffMode] = modes_of(module)
        self._species = [int(number) for number in module.atomic_numbers]
        self._heads = tuple(getattr(module, "heads", None) or ["Default"])
        self._scalars = _scalar_columns(module)

    # --- what it is -------------------------------------------------------------------

    @property
    def name(self) -> str:
        count = sum(parameter.numel() for parameter in self.module.parameters())
        return f"MACE ({count / 1000:.0f}k parameters)"

    @property
    def species(self) -> frozenset[int]:
        return frozenset(self._species)

    @property
    def heads(self) -> tuple[str, ...]:
        return self._heads

    def head_species(self, head: str) -> frozenset[int]:
        known = torch.isfinite(self._energy_table()[self._heads.index(head)]).tolist()
        return frozenset(z for z, finite in zip(self._species, known, strict=True) if finite)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> MacePotential:
        self._require_mode(mode)
        return MacePotential(at_radius(self.module, cutoff, mode), self.metadata)

    # --- its parameters ---------------------------------------------------------------

    def representation_parameters(self) -> dict[str, torch.nn.Parameter]:
        ours = {id(parameter) for parameter in self.head_parameters().values()}
        named = self.module.named_parameters()
        return {name: value for name, value in named if id(value) not in ours}

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        if len(self.module.products) == 1:
            return super().early_parameters()
        parts = (*EMBEDDINGS, "interactions.0.", "products.0.")
        shared = self.representation_parameters()
        return {name: value for name, value in shared.items() if name.startswith(parts)}

    def clone(self) -> MacePotential:
        return MacePotential(copy.deepcopy(self.module), dict(self.metadata))

    def with_head(self, name: str, energies: dict[int, float], scale: float = 1.0) -> MacePotential:
        self._require_new(name)
        ordered = [energies.get(number, float("nan")) for number in self._species]
        return MacePotential(with_head(self.module, name, ordered, scale), dict(self.metadata))

    # --- its files --------------------------------------------------------------------

    def save(self, path: Path, rule: dict[str, Any] | None = None) -> None:
        config = {**plain_config(self.module), "dtype": str(self.dtype).removeprefix("torch.")}
        content = archive.Archive(ARCHITECTURE, config, self.state(), self.metadata, rule or {})
        archive.save(path, content)

    def export(self, path: Path, head: str | None = None) -> None:
        name = self.main_head(head)
        self._require_all_elements(name, "mace-torch")
        module = self.module
        if len(self._heads) > 1:
            scripts = mace_scripts()
            with contained(), default_dtype(self.dtype):
                module = scripts.remove_pt_head(module, head_to_keep=name)
        with atomic(path) as partial:
            torch.save(module, partial)

    # --- inside -----------------------------------------------------------------------

    def _collate(self, graphs: Sequence[Graph], heads: Sequence[int]) -> Batch:
        return collate(graphs, heads, self._species, self.dtype, self.device)

    def _run(self, batch: Batch, *, training: bool, stress: bool) -> Output:
        with default_dtype(self.dtype):  # MACE's readout mask takes the default type
            output: dict[str, torch.Tensor] = self.module(
                dict(batch), training=training, compute_stress=stress
            )
        features = output["node_feats"][:, self._scalars]
        stresses = output["stress"] if stress else None
        return Output(self._energy(batch, output), output["forces"], features, stresses)

    def _energy_table(self) -> torch.Tensor:
        """Isolated-atom energies, eV, (heads, elements); not a number where a head has none."""
        table: torch.Tensor = torch.atleast_2d(self.module.atomic_energies_fn.atomic_energies)
        return table.double()

    def _energy(self, batch: Batch, output: dict[str, torch.Tensor]) -> torch.Tensor:
        """Total energies in float64: the isolated-atom part has too many digits for float32."""
        if "interaction_energy" not in output:
            return output["energy"].double()
        table = self._energy_table()
        element = batch["node_attrs"].argmax(dim=1)  # (N,)
        per_atom = table[batch["head"][batch["batch"]], element]  # (N,)
        total = output["interaction_energy"].double()
        return total.index_add(0, batch["batch"], per_atom)


def load(content: archive.Archive, dtype: torch.dtype | None, device: str) -> MacePotential:
    """Rebuild a MACE from farfield's model file."""
    config = dict(content.config)
    stored = getattr(torch, config.pop("dtype"))
    module = build(config, dtype or stored).to(device)
    state = content.state
    if dtype is not None:
        state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
        energies = "atomic_energies_fn.atomic_energies"
        state[energies] = content.state[energies]
    module.load_state_dict(state)
    return MacePotential(module, content.metadata)


def _scalar_columns(module: Any) -> torch.Tensor:
    """Columns of the node features that are invariant to rotation (scalars, l = 0)."""
    columns: list[int] = []
    start = 0
    for product in module.products:
        for multiplicity, irrep in product.linear.irreps_out:
            width = multiplicity * irrep.dim
            if irrep.l == 0:
                columns += range(start, start + width)
            start += width
    return torch.tensor(columns)
