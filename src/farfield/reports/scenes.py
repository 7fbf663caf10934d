"""Scenes for the viewer: positions turned to their principal axes, colours and radii."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from numpy.typing import NDArray

from farfield.reports.contents import DrawnStructure
from farfield.reports.numbers import is_number

SCALE = (
    "#440154", "#482878", "#3e4989", "#31688e", "#26828e",
    "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725",
)  # fmt: skip
"""Viridis: perceptually uniform and safe for colour-blind readers."""

TICKS = (0.0, 0.5, 0.9, 0.99)
"""Quantiles written under the colour scale."""


def scale_position(quantile: float) -> float:
    """Return where a quantile stands on the colour scale, 0..1: logarithmic in the tail.

    The quantiles of strange atoms crowd near 1, so that 0.9 stands in the middle and 0.99
    at the end; the viewer uses the same rule.
    """
    return float(min(1.0, -np.log10(max(1.0 - quantile, 0.01)) / 2))


def scene(structure: DrawnStructure) -> dict[str, Any]:
    """Return what the viewer draws; positions and radii in Å, colours as [r, g, b] in 0..255."""
    points = np.asarray(structure.positions, dtype=float).reshape(-1, 3)  # (N, 3)
    corners = _corners(structure.cell)  # (8, 3) or (0, 3)
    everything = np.concatenate([points, corners])
    centre = (everything.max(axis=0) + everything.min(axis=0)) / 2
    axes = _principal_axes(points) if structure.cell is None else _cell_axes(corners)  # (3, 3)
    numbers = [number if 0 < number < len(chemical_symbols) else 0 for number in structure.numbers]
    edges = [(i, j) for i in range(8) for j in range(i) if (i ^ j).bit_count() == 1]
    return {
        "points": ((points - centre) @ axes.T).round(4).tolist(),
        "corners": ((corners - centre) @ axes.T).round(4).tolist(),
        "edges": edges if len(corners) else [],
        "bonds": [list(bond) for bond in structure.bonds],
        "symbols": [chemical_symbols[number] for number in numbers],
        "colours": [[round(255 * part) for part in jmol_colors[number]] for number in numbers],
        "radii": [round(0.18 + 0.3 * float(covalent_radii[number]), 3) for number in numbers],
        "values": [value if is_number(value) else None for value in structure.atom_values],
    }


def strangest_atoms(structure: DrawnStructure, count: int = 3) -> list[tuple[str, float]]:
    """Return the atoms of highest quantile as ``("C 4", 0.98)``; indices count from 0."""
    values = [(value, i) for i, value in enumerate(structure.atom_values) if is_number(value)]
    ranked = sorted(values, key=lambda pair: (-pair[0], pair[1]))[:count]
    return [(f"{chemical_symbols[structure.numbers[i]]} {i}", value) for value, i in ranked]


def _corners(cell: list[list[float]] | None) -> NDArray[np.float64]:
    if cell is None:
        return np.zeros((0, 3))
    steps = np.array(list(product((0, 1), repeat=3)), dtype=float)  # (8, 3)
    corners: NDArray[np.float64] = steps @ np.asarray(cell, dtype=float)  # (8, 3) @ (3, 3)
    return corners


def _cell_axes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a proper rotation (3, 3): the first cell vector across, the third upright."""
    third, second, first = corners[1], corners[2], corners[4]
    if abs(np.linalg.det(np.stack([first, second, third]))) < 1e-9:
        return np.eye(3)
    across = first / np.linalg.norm(first)
    upright = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    return np.stack([across, upright, np.cross(across, upright)])


def _principal_axes(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a proper rotation (3, 3): longest extent across, shortest towards the viewer."""
    if len(points) < 2:
        return np.eye(3)
    shifted = points - points.mean(axis=0)
    _, vectors = np.linalg.eigh(shifted.T @ shifted)  # ascending; columns are axes
    axes: NDArray[np.float64] = vectors[:, ::-1].T.copy()
    for axis in axes:
        axis *= np.sign(axis[np.argmax(np.abs(axis))])
    if np.linalg.det(axes) < 0:
        axes[2] *= -1
    return axes
