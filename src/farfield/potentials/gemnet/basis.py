"""Basis functions of distances and angles, zero with two derivatives at the cutoff.

They are those of DimeNet (Gasteiger et al., arXiv 2003.03123, equations 6 to 8), which GemNet
takes over.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import pairwise
from typing import final

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import spherical_jn


def envelope(scaled: torch.Tensor, exponent: int) -> torch.Tensor:
    """Polynomial u(d) of DimeNet's equation 8, of distances divided by the cutoff."""
    p = exponent
    a, b, c = -(p + 1) * (p + 2) / 2, p * (p + 2), -p * (p + 1) / 2
    value = 1.0 + scaled**p * (a + scaled * (b + scaled * c))
    return torch.where(scaled < 1.0, value, torch.zeros_like(scaled))


@final
class RadialBasis(torch.nn.Module):
    """Sines of trainable frequency over the distance, DimeNet's equation 7."""

    def __init__(self, n_radial: int, cutoff: float, exponent: int) -> None:
        super().__init__()
        self.cutoff, self.exponent = cutoff, exponent
        frequencies = math.pi * torch.arange(1, n_radial + 1, dtype=torch.get_default_dtype())
        self.frequencies = torch.nn.Parameter(frequencies)

    def forward(self, distances: torch.Tensor) -> torch.Tensor:
        """Expand E distances (Å), shape (E, n_radial)."""
        scaled = distances[:, None] / self.cutoff
        size = math.sqrt(2.0 / self.cutoff) * envelope(scaled, self.exponent)
        return size * torch.sin(self.frequencies * scaled) / distances[:, None]


@final
class CircularBasis(torch.nn.Module):
    """Spherical Bessel functions of a distance times Legendre polynomials of an angle.

    DimeNet's equation 6, in its two factors; they meet in the efficient bilinear layer.
    """

    roots: torch.Tensor
    norms: torch.Tensor

    def __init__(self, n_spherical: int, n_radial: int, cutoff: float, exponent: int) -> None:
        super().__init__()
        self.cutoff, self.exponent, self.n_spherical = cutoff, exponent, n_spherical
        roots = bessel_roots(n_spherical, n_radial)
        orders = np.arange(n_spherical)[:, None]
        norms = math.sqrt(2.0 / cutoff**3) / np.abs(spherical_jn(orders + 1, roots))
        self.register_buffer("roots", torch.as_tensor(roots), persistent=False)  # (l, n)
        self.register_buffer("norms", torch.as_tensor(norms), persistent=False)

    def radial(self, distances: torch.Tensor) -> torch.Tensor:
        """Expand E distances (Å), shape (E, n_spherical, n_radial).

        The recurrence of the Bessel functions cancels at short distances, hence float64.
        """
        scaled = distances.double()[:, None, None] / self.cutoff
        values = self.norms * spherical_bessel(self.roots * scaled)
        return (envelope(scaled, self.exponent) * values).to(distances.dtype)

    def angular(self, cosines: torch.Tensor) -> torch.Tensor:
        """Expand cosines of angles of any shape; the new last axis has n_spherical entries."""
        values = [torch.ones_like(cosines), cosines]
        for order in range(2, self.n_spherical):
            value = (2 * order - 1) * cosines * values[-1] - (order - 1) * values[-2]
            values.append(value / order)
        sizes = [math.sqrt((2 * order + 1) / (4.0 * math.pi)) for order in range(len(values))]
        return torch.stack([s * v for s, v in zip(sizes, values, strict=True)], dim=-1)


def spherical_bessel(arguments: torch.Tensor) -> torch.Tensor:
    """Spherical Bessel functions of the first kind, order l along the axis before the last."""
    rows = arguments.unbind(dim=-2)
    values = []
    for order, x in enumerate(rows):
        below, here = torch.cos(x) / x, torch.sin(x) / x  # of order -1 and 0
        for step in range(order):
            below, here = here, (2 * step + 1) / x * here - below
        values.append(here)
    return torch.stack(values, dim=-2)


def bessel_roots(n_orders: int, n_roots: int) -> np.ndarray:
    """The first roots of the spherical Bessel functions of order 0, 1, ..., (orders, roots).

    Those of one order lie between those of the order before.
    """
    points = np.pi * np.arange(1, n_roots + n_orders)
    rows = [points[:n_roots]]
    for order in range(1, n_orders):
        bessel = partial(spherical_jn, order)
        points = np.array([brentq(bessel, *pair) for pair in pairwise(points)])
        rows.append(points[:n_roots])
    return np.stack(rows)
