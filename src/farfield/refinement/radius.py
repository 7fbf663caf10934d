"""Test-time radius refinement: change the edges of the test graph, not the weights."""

from __future__ import annotations

from collections import Counter
from typing import final

import numpy as np
from ase import Atoms

from farfield.errors import CapabilityError, ProfileError
from farfield.graphs import padded_distance, spectrum
from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.radius_rule import RadiusRefined, RadiusRule
from farfield.shifts import Profile

SHARES = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@final
class RadiusRefinement(Refinement):
    """Choose for each structure the radius whose spectrum is nearest to training.

    Parameters
    ----------
    profile
        Profile of the training set, made with the same model.
    mode
        How the radius changes. ``"truncate"`` drops edges, as the paper's script does; it is
        not smooth: energies step where an edge crosses the new radius.
    margin
        A radius must beat the training radius by this share of the distance.

    Notes
    -----
    Candidates lie below the training radius only: a model with an envelope gives longer
    edges no weight, so larger radii change nothing.
    """

    name = "radius"

    def __init__(
        self, profile: Profile, mode: CutoffMode = "truncate", margin: float = 0.05
    ) -> None:
        self._profile = profile
        self._mode: CutoffMode = mode
        self._margin = margin

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        if self._mode not in potential.cutoff_modes:
            raise CapabilityError(
                f"radius refinement needs the cutoff mode {self._mode!r}, which {potential.name} "
                "does not offer: use a model with an adapter that does (such as MACE)"
            )
        cutoff = potential.cutoff
        assert cutoff is not None  # a model with cutoff modes has a cutoff
        if "connectivity" not in self._profile.axes or abs(cutoff - self._profile.cutoff) > 1e-6:
            raise ProfileError(
                f"the profile was made at {self._profile.cutoff} Å, the model's cutoff is "
                f"{cutoff} Å: make the profile with this model"
            )
        mean = self._profile.axes["connectivity"].state["mean_spectrum"].astype(float)
        rule = RadiusRule(
            mode=self._mode,
            radii=tuple(round(share * cutoff, 6) for share in SHARES),
            training_radius=cutoff,
            mean_spectrum=tuple(mean.tolist()),
            margin=self._margin,
        )
        settings = {"mode": self._mode, "margin": self._margin, "radii_A": list(rule.radii)}
        graphs = [potential.graph(atoms) for atoms in structures]
        radii = [rule.choose(graph) for graph in graphs]
        before = [padded_distance(spectrum(graph), mean) for graph in graphs]
        after = [
            padded_distance(spectrum(graph.within(radius)), mean)
            for graph, radius in zip(graphs, radii, strict=True)
        ]
        changed = sum(radius != cutoff for radius in radii)
        figures = {
            "structures with another radius": float(changed),
            "structures": float(len(structures)),
            "mean radius, Å": float(np.mean(radii)),
            "mean squared distance to the training spectrum, before": float(np.mean(before)),
            "mean squared distance to the training spectrum, after": float(np.mean(after)),
        }
        if changed == 0:
            reason = (
                f"no candidate radius brings a spectrum nearer to training by {self._margin:.0%}: "
                "the training radius stays"
            )
            return Refined(
                potential, Record(self.name, False, [reason], figures, settings=settings)
            )
        common = ", ".join(f"{r:g} Å ({n})" for r, n in sorted(Counter(radii).items()))
        reason = f"the spectrum came nearer to training for {changed} structures; radii: {common}"
        record = Record(self.name, True, [reason], figures, settings=settings)
        return Refined(RadiusRefined(potential, rule), record)
