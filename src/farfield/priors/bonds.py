"""Bonds and bond orders of a molecule from its geometry, by RDKit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

from ase import Atoms

from farfield.priors.function import charge_of

MOST_ITERATIONS = 100_000  # of the search for bond orders, which grows without bound
MOST_EQUIVALENTS = 2000  # renumberings of a molecule that keep its bonds

Pairs = tuple[tuple[int, int], ...]


@final
@dataclass(frozen=True)
class Connectivity:
    """Which atoms of a structure are bonded: all that bond orders are made of.

    Attributes
    ----------
    numbers
        Atomic numbers.
    charge
        Total charge.
    pairs
        Indices of bonded atoms, sorted.
    """

    numbers: tuple[int, ...]
    charge: int
    pairs: Pairs


@final
@dataclass(frozen=True)
class Bonding:
    """Whole-numbered bond orders and formal charges for a connectivity.

    Attributes
    ----------
    connectivity
        The bonds.
    orders
        1, 2 or 3 for each pair of the connectivity.
    charges
        Formal charge of each atom.
    """

    connectivity: Connectivity
    orders: tuple[int, ...]
    charges: tuple[int, ...]

    def molecule(self) -> Any:
        """Return it as an editable RDKit molecule, not sanitized."""
        from rdkit import Chem

        kinds = (None, Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE)
        molecule = _bare(self.connectivity.numbers)
        for (first, second), order in zip(self.connectivity.pairs, self.orders, strict=True):
            molecule.AddBond(first, second, kinds[order])
        for atom, charge in zip(molecule.GetAtoms(), self.charges, strict=True):
            atom.SetFormalCharge(charge)
        return molecule


def connectivity_of(atoms: Atoms) -> Connectivity:
    """Find the bonds of a structure.

    Two atoms are bonded up to 0.45 Å beyond the sum of their covalent radii; where that gives
    an atom too many bonds, the longest go (RDKit's "connect the dots").
    """
    from rdkit import Chem
    from rdkit.Chem.rdDetermineBonds import DetermineConnectivity

    numbers = tuple(int(number) for number in atoms.numbers)
    molecule = _bare(numbers)
    conformer = Chem.Conformer(len(numbers))
    conformer.SetPositions(atoms.positions)
    molecule.AddConformer(conformer)
    DetermineConnectivity(molecule)
    found = ((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in molecule.GetBonds())
    pairs = tuple(sorted((min(pair), max(pair)) for pair in found))
    return Connectivity(numbers, charge_of(atoms), pairs)


def bonding_of(connectivity: Connectivity) -> Bonding:
    """Find bond orders and formal charges, from the connectivity alone.

    If no formal charges fit, unpaired electrons are tried. The search runs in a canonical
    order of the atoms, so that their given order decides between equivalent solutions only;
    :func:`equivalents` has all of these.

    Raises
    ------
    ValueError
        Nothing fits the bonds and the charge; the message says why.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem.rdDetermineBonds import DetermineBondOrders

    ranks = _ranks(connectivity, break_ties=True)
    ordered = _renumbered(connectivity, ranks)
    reasons = []
    for formal_charges in (True, False):
        molecule = Bonding(ordered, (1,) * len(ordered.pairs), (0,) * len(ranks)).molecule()
        try:
            with rdBase.BlockLogs():
                DetermineBondOrders(
                    molecule,
                    charge=connectivity.charge,
                    allowChargedFragments=formal_charges,
                    embedChiral=False,
                    maxIterations=MOST_ITERATIONS,
                )
                Chem.SanitizeMol(Chem.RWMol(molecule))
        except (ValueError, RuntimeError) as error:
            reasons.append(" ".join(str(error).split()))
            continue
        orders = []
        for pair in connectivity.pairs:
            bond = molecule.GetBondBetweenAtoms(*(ranks[index] for index in pair))
            orders.append(int(bond.GetBondTypeAsDouble()))
        charges = (molecule.GetAtomWithIdx(rank).GetFormalCharge() for rank in ranks)
        return Bonding(connectivity, tuple(orders), tuple(charges))
    raise ValueError(
        f"no bond orders fit the bonds and the charge {connectivity.charge}: {reasons[0]}"
    )


def equivalents(bonding: Bonding) -> list[Bonding]:
    """Return all bondings that a renumbering of equivalent atoms makes of one, itself first.

    Hydrogens are not renumbered: their bonds are all alike.

    Raises
    ------
    ValueError
        The molecule has more than 2000 such renumberings.
    """
    connectivity = bonding.connectivity
    found = {bonding: None}
    for image in _automorphisms(connectivity):
        pairs = [_sorted(image[first], image[second]) for first, second in connectivity.pairs]
        orders = dict(zip(pairs, bonding.orders, strict=True))
        charges = dict(zip(image, bonding.charges, strict=True))
        moved = replace(
            bonding,
            orders=tuple(orders[pair] for pair in connectivity.pairs),
            charges=tuple(charges[index] for index in range(len(image))),
        )
        found[moved] = None
    return list(found)


def classes_of(connectivity: Connectivity) -> list[int]:
    """Return a number for each atom, the same for atoms that the bonds cannot tell apart."""
    return _ranks(connectivity, break_ties=False)


def _ranks(connectivity: Connectivity, *, break_ties: bool) -> list[int]:
    from rdkit import Chem

    molecule = _skeleton(connectivity)
    return list(Chem.CanonicalRankAtoms(molecule, breakTies=break_ties))


def _renumbered(connectivity: Connectivity, new: list[int]) -> Connectivity:
    numbers = dict(zip(new, connectivity.numbers, strict=True))
    pairs = sorted(_sorted(new[first], new[second]) for first, second in connectivity.pairs)
    ordered = tuple(numbers[index] for index in range(len(new)))
    return Connectivity(ordered, connectivity.charge, tuple(pairs))


def _automorphisms(connectivity: Connectivity) -> list[list[int]]:
    """Return renumberings of the heavier atoms that keep elements, bonds and hydrogens.

    A hydrogen follows its atom, to the hydrogen of the same place in the list.
    """
    hydrogens: dict[int, list[int]] = {}
    for first, second in connectivity.pairs:
        for light, heavy in ((first, second), (second, first)):
            if connectivity.numbers[light] == 1 and connectivity.numbers[heavy] != 1:
                hydrogens.setdefault(heavy, []).append(light)
    kept = [index for index, number in enumerate(connectivity.numbers) if number != 1]
    skeleton = _skeleton(connectivity)
    for index in kept:  # an isotope, so that only atoms with as many hydrogens match
        skeleton.GetAtomWithIdx(index).SetIsotope(1 + len(hydrogens.get(index, ())))
    for index in sorted(set(range(len(connectivity.numbers))) - set(kept), reverse=True):
        skeleton.RemoveAtom(index)
    matches = skeleton.GetSubstructMatches(skeleton, uniquify=False, maxMatches=MOST_EQUIVALENTS)
    if len(matches) >= MOST_EQUIVALENTS:
        raise ValueError(
            f"bond orders can be chosen in many ways, and {MOST_EQUIVALENTS} or more "
            "renumberings of equivalent atoms are too many to average over"
        )
    images = []
    for match in matches:
        image = list(range(len(connectivity.numbers)))
        for index, target in zip(kept, (kept[position] for position in match), strict=True):
            image[index] = target
            pairs = zip(hydrogens.get(index, ()), hydrogens.get(target, ()), strict=True)
            for hydrogen, other in pairs:
                image[hydrogen] = other
        images.append(image)
    return images


def _skeleton(connectivity: Connectivity) -> Any:
    from rdkit import Chem

    ones = (1,) * len(connectivity.pairs)
    molecule = Bonding(connectivity, ones, (0,) * len(connectivity.numbers)).molecule()
    molecule.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(molecule)
    return molecule


def _bare(numbers: tuple[int, ...]) -> Any:
    from rdkit import Chem

    molecule = Chem.RWMol()
    for number in numbers:
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        molecule.AddAtom(atom)
    return molecule


def _sorted(first: int, second: int) -> tuple[int, int]:
    return (first, second) if first < second else (second, first)
