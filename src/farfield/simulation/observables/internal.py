"""Distributions of bond lengths, bond angles and dihedrals, by the elements in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.simulation.observables.distribution import Counter, Distribution
from farfield.simulation.observables.frames import frames_of, positive, unwrapped
from farfield.simulation.observables.topology import Chains, angles, bonds, dihedrals

Floats = npt.NDArray[np.float64]
_BLOCK = 4_000_000  # numbers in memory at once
_LAST_ANGLE = np.nextafter(180.0, 0.0)  # a straight angle belongs to the last bin


def bond_distributions(
    frames: Iterable[Atoms], *, width: float = 0.01, reach: float = 10.0
) -> dict[str, Distribution]:
    """Return the distribution of bond lengths for each pair of elements, such as ``"C-H"``.

    What is bonded is read off the first frame, by covalent radii, and followed from then on:
    a bond that breaks shows as a long one.

    Parameters
    ----------
    frames
        The trajectory; periodic ones may be wrapped.
    width
        Of the bins, Å.
    reach
        Lengths beyond it, Å, are counted together.

    Raises
    ------
    StructureError
        No frame, changing atoms, or atoms that move too far between frames to be followed.
    """
    width, reach = positive(width, "width", "Å"), positive(reach, "reach", "Å")
    return _distributions(frames, "bonds", bonds, _lengths, (0.0, reach, width))


def angle_distributions(frames: Iterable[Atoms], *, width: float = 1.0) -> dict[str, Distribution]:
    """Return the distribution of bond angles, in degrees from 0 to 180.

    Named by their elements with the vertex in the middle, such as ``"H-C-H"``. See
    :func:`bond_distributions`; ``width`` is in degrees.
    """
    grid = (0.0, 180.0, positive(width, "width", "degrees"))
    return _distributions(frames, "angles", angles, _angles, grid)


def dihedral_distributions(
    frames: Iterable[Atoms], *, width: float = 5.0
) -> dict[str, Distribution]:
    """Return the distribution of dihedral angles, in degrees from −180 to 180.

    0 is *cis*. Dihedrals about a bond angle beyond 170° in the first frame are left out. See
    :func:`bond_distributions`; ``width`` is in degrees.
    """
    grid = (-180.0, 180.0, positive(width, "width", "degrees"))
    return _distributions(frames, "dihedrals", dihedrals, _dihedrals, grid)


def _distributions(
    frames: Iterable[Atoms],
    purpose: str,
    find: Callable[[Atoms], Chains],
    measure: Callable[[Floats], Floats],
    grid: tuple[float, float, float],
) -> dict[str, Distribution]:
    found = frames_of(frames, 1, purpose)
    places = unwrapped(found, purpose)  # (T, N, 3)
    cells = np.stack([np.asarray(frame.cell) for frame in found])  # (T, 3, 3)
    result = {}
    for name, chains in _by_elements(found[0], find(found[0])).items():
        counter = Counter(*grid)
        block = max(1, _BLOCK // chains.images.size)
        for start in range(0, len(found), block):
            part = slice(start, start + block)
            counter.add(measure(chains.points(places[part], cells[part])))
        result[name] = counter.distribution()
    return result


def _by_elements(atoms: Atoms, chains: Chains) -> dict[str, Chains]:
    symbols = atoms.get_chemical_symbols()
    rows: dict[str, list[int]] = {}
    for row, chain in enumerate(chains.atoms):
        names = [symbols[index] for index in chain]
        rows.setdefault("-".join(min(names, names[::-1])), []).append(row)
    return {
        name: Chains(chains.atoms[chosen], chains.images[chosen])
        for name, chosen in sorted(rows.items())
    }


def _lengths(points: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(points[..., 1, :] - points[..., 0, :], axis=-1)
    return lengths  # (T, M), Å


def _angles(points: Floats) -> Floats:
    first, second = points[..., 0, :] - points[..., 1, :], points[..., 2, :] - points[..., 1, :]
    sine = np.linalg.norm(np.cross(first, second), axis=-1)
    cosine = np.einsum("tmx,tmx->tm", first, second)
    found: Floats = np.minimum(np.degrees(np.arctan2(sine, cosine)), _LAST_ANGLE)
    return found  # (T, M)


def _dihedrals(points: Floats) -> Floats:
    first, middle, last = np.moveaxis(np.diff(points, axis=-2), -2, 0)  # each (T, M, 3)
    one, other = np.cross(first, middle), np.cross(middle, last)
    length = np.linalg.norm(middle, axis=-1)
    sine = length * np.einsum("tmx,tmx->tm", first, other)
    found = np.degrees(np.arctan2(sine, np.einsum("tmx,tmx->tm", one, other)))
    return np.where(found >= 180.0, -180.0, found)  # (T, M); 180 is −180
