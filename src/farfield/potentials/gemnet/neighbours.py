"""Which edges meet: the reverse of each edge, and the other edges into the same atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from farfield.potentials.batches import Batch


@final
@dataclass(frozen=True)
class Meetings:
    """For E edges c → a, of which at most K lead into one atom.

    Attributes
    ----------
    reverse
        The edge a → c, shape (E,).
    others
        The edges b → a, shape (E, K); any edge where there are fewer.
    exists
        1 where there is one and it is another edge than c → a, else 0; shape (E, K).
    """

    reverse: torch.Tensor
    others: torch.Tensor
    exists: torch.Tensor


def meetings(batch: Batch) -> Meetings:
    """Find, for every edge, its reverse and those it meets."""
    receivers = batch.edges[1]
    n_edges = len(receivers)
    order = torch.argsort(receivers, stable=True)
    counts = torch.bincount(receivers, minlength=len(batch.numbers))  # (N,)
    starts = torch.cumsum(counts, 0) - counts
    places = torch.arange(int(counts.max()) if n_edges else 0, device=receivers.device)  # (K,)
    there = places < counts[receivers][:, None]  # (E, K)
    index = torch.where(there, starts[receivers][:, None] + places, 0)
    others = order[index]
    itself = others == torch.arange(n_edges, device=receivers.device)[:, None]
    return Meetings(_reverse(batch), others, (there & ~itself).to(batch.positions.dtype))


def _reverse(batch: Batch) -> torch.Tensor:
    """The edge that leads back by the opposite shift, shape (E,)."""
    senders, receivers = batch.edges
    shifts = batch.shifts.round().long()
    reach = int(shifts.abs().max()) if len(shifts) else 0

    def keys(first: torch.Tensor, second: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
        key = first * len(batch.numbers) + second
        for axis in range(3):
            key = key * (2 * reach + 1) + moves[:, axis] + reach
        return key

    forth, order = torch.sort(keys(senders, receivers, shifts))
    back = keys(receivers, senders, -shifts)
    place = torch.searchsorted(forth, back).clamp(max=max(len(forth) - 1, 0))
    assert torch.equal(forth[place], back), "an edge has no reverse: the graph must be symmetric"
    return order[place]
