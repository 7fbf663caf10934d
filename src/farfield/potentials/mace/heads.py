"""One more output head for a MACE model, the old heads left as they are.

MACE has no module per head: every readout is one module with an output per head. e3nn
scales a linear layer by one over the square root of its inputs, and the number of inputs
of the last layer grows with the heads; the old weights are scaled up to make good for it.
"""

from __future__ import annotations

from typing import Any

import torch

from farfield.errors import CapabilityError
from farfield.potentials.mace.config import build, plain_config


def with_head(module: torch.nn.Module, name: str, energies: list[float]) -> torch.nn.Module:
    """Return a copy of ``module`` with one more head, drawn at random by torch's generator.

    Parameters
    ----------
    module
        A ScaleShiftMACE with linear and non-linear readouts (no biases).
    name
        The new head.
    energies
        Its isolated-atom energies, eV, in the order of the model's elements.
    """
    config = plain_config(module)
    if config["readout_cls"] != "NonLinearReadoutBlock":
        raise CapabilityError(f"a head cannot be added to a MACE with {config['readout_cls']}")
    old_heads = len(config["heads"])
    config["heads"] = [*config["heads"], name]
    config["atomic_energies"] = _rows(config["atomic_energies"], 2, [energies])
    for key in ("atomic_inter_scale", "atomic_inter_shift"):
        values = _rows(config[key], 1, [])
        config[key] = [*values, values[0]]
    dtype = next(module.parameters()).dtype
    grown = build(config, dtype).to(next(module.parameters()).device)
    grown.load_state_dict(_grown_state(module, grown, old_heads))
    return grown


def _rows(values: Any, depth: int, more: list[Any]) -> list[Any]:
    """A single-head model stores one row less deep; bring it to ``depth`` and append."""
    nested = values if isinstance(values, list) else [values]
    if depth == 2 and not isinstance(nested[0], list):
        nested = [nested]
    return [*nested, *more]


def _grown_state(old: Any, grown: torch.nn.Module, heads: int) -> dict[str, torch.Tensor]:
    """The grown model's state: its own random new head, everything else from ``old``."""
    before, state = old.state_dict(), grown.state_dict()
    shared = {key: value for key, value in before.items() if not key.startswith("readouts.")}
    for key, value in shared.items():
        if state[key].shape == value.shape:
            state[key] = value.clone()  # what depends on the heads is set by the config
    for index, readout in enumerate(old.readouts):
        prefix = f"readouts.{index}."
        if hasattr(readout, "linear"):
            _fill(state, before, prefix + "linear.weight", (-1, heads, 1))
        else:
            width = readout.hidden_irreps.num_irreps // heads
            _fill(state, before, prefix + "linear_1.weight", (-1, heads, width))
            key = prefix + "linear_2.weight"
            scale = ((heads + 1) / heads) ** 0.5
            weights = state[key].view(heads + 1, width, heads + 1).clone()
            weights[:heads, :, :heads] = before[key].view(heads, width, heads) * scale
            state[key] = weights.flatten()
        for key in before:
            same = key.startswith(prefix) and state[key].shape == before[key].shape
            if same and not key.endswith("weight"):
                state[key] = before[key].clone()
    return state


def _fill(
    state: dict[str, torch.Tensor],
    before: dict[str, torch.Tensor],
    key: str,
    shape: tuple[int, int, int],
) -> None:
    """Copy the old heads' columns of a flat weight, stored as (inputs, heads, width)."""
    inputs, heads, width = shape
    weights = state[key].view(inputs, heads + 1, width).clone()
    weights[:, :heads] = before[key].view(inputs, heads, width)
    state[key] = weights.flatten()
