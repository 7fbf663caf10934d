"""One more output head for a MACE model, a copy of the main head; the old ones stay as they are.

MACE has no module per head: every readout is one module with an output per head. e3nn
scales a linear layer by one over the square root of its inputs, and the number of inputs
of the last layer grows with the heads; the old weights are scaled up to make good for it.
"""

from __future__ import annotations

from typing import Any

import torch

from farfield.errors import CapabilityError
from farfield.potentials.mace.config import build, plain_config


def with_head(
    module: torch.nn.Module, name: str, energies: list[float], scale: float
) -> torch.nn.Module:
    """Return a copy of ``module`` with one more head, whose readouts are the main head's.

    Parameters
    ----------
    module
        A ScaleShiftMACE with linear and non-linear readouts (no biases).
    name
        The new head.
    energies
        Its isolated-atom energies, eV, in the order of the model's elements; not a number
        where the head does not know the element.
    scale
        Its interaction energies and forces are this many times the main head's.
    """
    config = plain_config(module)
    if config["readout_cls"] != "NonLinearReadoutBlock":
        raise CapabilityError(f"a head cannot be added to a MACE with {config['readout_cls']}")
    old_heads = len(config["heads"])
    config["heads"] = [*config["heads"], name]
    config["atomic_energies"] = _rows(config["atomic_energies"], 2, [energies])
    for key in ("atomic_inter_scale", "atomic_inter_shift"):
        values = _rows(config[key], 1, [])
        config[key] = [*values, scale * values[0]]
    first = next(module.parameters())
    with torch.random.fork_rng(devices=[]):
        grown = build(config, first.dtype).to(first.device)
    grown.load_state_dict(_grown_state(module, grown, old_heads))
    return grown


def _rows(values: Any, depth: int, more: list[Any]) -> list[Any]:
    """A single-head model stores one row less deep; bring it to ``depth`` and append."""
    nested = values if isinstance(values, list) else [values]
    if depth == 2 and not isinstance(nested[0], list):
        nested = [nested]
    return [*nested, *more]


def _grown_state(old: Any, grown: torch.nn.Module, heads: int) -> dict[str, torch.Tensor]:
    """The grown model's state: all of ``old``, and the main head's readouts once more."""
    before, state = old.state_dict(), grown.state_dict()
    for key, value in before.items():
        if state[key].shape == value.shape:
            state[key] = value.clone()  # what depends on the heads is set by the config, or below
    for index, readout in enumerate(old.readouts):
        prefix = f"readouts.{index}."
        if hasattr(readout, "linear"):
            key = prefix + "linear.weight"
            state[key] = _widened(before[key].view(-1, heads, 1)).flatten()
        else:
            width = readout.hidden_irreps.num_irreps // heads
            key = prefix + "linear_1.weight"
            state[key] = _widened(before[key].view(-1, heads, width)).flatten()
            key = prefix + "linear_2.weight"
            weights = before[key].view(heads, width, heads) * ((heads + 1) / heads) ** 0.5
            state[key] = _last(weights, heads).flatten()
    return state


def _widened(weights: torch.Tensor) -> torch.Tensor:
    """Add the new head's weights to those of shape (inputs, heads, width)."""
    return torch.cat([weights, weights[:, :1]], dim=1)


def _last(weights: torch.Tensor, heads: int) -> torch.Tensor:
    """Add the new head's weights to those of shape (heads, width, heads) of a last layer.

    A head's output sees its own hidden units alone; what would join two heads is masked by
    MACE, and is zero here.
    """
    grown = weights.new_zeros(heads + 1, weights.shape[1], heads + 1)
    grown[:heads, :, :heads] = weights
    grown[heads, :, heads] = weights[0, :, 0]
    return grown
