"""What training structures teach about β: left out of training, their labels tell both errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from ase import Atoms
from scipy.optimize import lsq_linear

from farfield.potentials import Potential
from farfield.priors import Prior
from farfield.refinement.correction.rule import CorrectionRule
from farfield.structures import Labels, LeftOut, require_labels

Floats = npt.NDArray[np.float64]
BETAS = np.linspace(0.0, 1.0, 11)
LEAST_GAIN = 0.02  # of the force error: where β brings less, it is set to 0


@dataclass(frozen=True)
class Evidence:
    """Both heads' errors on n structures that the model was not trained on.

    Attributes
    ----------
    outside
        Whether the structure's composition was left out of training too, shape (n,).
    residual
        Root mean square of the prior residual over the force components, eV/Å, shape (n,).
    error
        The same of the main head's error, eV/Å, shape (n,).
    product
        Mean over the components of the product of the two, (eV/Å)², shape (n,).
    corrected
        Mean absolute error of the force corrected with each β of 0, 0.1 ... 1, eV/Å, shape
        (n, 11).
    """

    outside: npt.NDArray[np.bool_]
    residual: Floats
    error: Floats
    product: Floats
    corrected: Floats

    @classmethod
    def joined(cls, parts: Sequence[Evidence]) -> Evidence:
        """Put evidence of several models together."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @property
    def correlation(self) -> float:
        """Correlation of the two heads' errors outside, over all force components."""
        chosen = self.outside
        product = self.product[chosen].sum()
        squares = (self.error[chosen] ** 2).sum() * (self.residual[chosen] ** 2).sum()
        return float(product / np.sqrt(squares))

    def corrected_with(self, betas: Floats) -> Floats:
        """Force MAE of each structure (eV/Å), corrected with its own β, shape (n,)."""
        rows = zip(betas, self.corrected, strict=True)
        return np.array([np.interp(beta, BETAS, row) for beta, row in rows])


def gather(
    potential: Potential,
    structures: Sequence[Atoms],
    reference: Sequence[Labels],
    prior: Sequence[Labels],
    *,
    head: str,
    outside: bool,
) -> Evidence:
    """Compare both heads with their labels on structures that were not trained on.

    Parameters
    ----------
    potential
        A model with a main head and the prior's head.
    structures, reference, prior
        The structures with the labels of both.
    head
        Name of the prior's head.
    outside
        Whether their compositions were left out of training as well.
    """
    rows = []
    main = potential.predict(structures)
    cheap = potential.predict(structures, head)
    for own, other, truth, known in zip(main, cheap, reference, prior, strict=True):
        error = own.forces - truth.known_forces
        residual = other.forces - known.known_forces
        left = np.abs(error - BETAS[:, None, None] * residual).mean(axis=(1, 2))
        rows.append((_rms(residual), _rms(error), float((error * residual).mean()), left))
    residuals, errors, products, corrected = zip(*rows, strict=True)
    return Evidence(
        outside=np.full(len(rows), outside),
        residual=np.array(residuals),
        error=np.array(errors),
        product=np.array(products),
        corrected=np.array(corrected),
    )


def gather_left_out(
    potential: Potential, structures: Sequence[Atoms], left: LeftOut, prior: Prior
) -> Evidence:
    """Evidence of a model that was trained on ``left.train`` alone.

    ``structures`` are the whole training set, with the labels of the reference and the prior.
    """
    parts = []
    for places, outside in ((left.inside, False), (left.outside, True)):
        chosen = [structures[place] for place in places]
        reference = require_labels(chosen, purpose="learning β")
        cheap = require_labels(chosen, prior.label_name, purpose="learning β")
        parts.append(gather(potential, chosen, reference, cheap, head=prior.name, outside=outside))
    return Evidence.joined(parts)


def learn_rule(evidence: Evidence, *, prior: str, head: str) -> CorrectionRule:
    """Learn β: least remaining squared error, each structure counted relative to its own.

    Either limit is set to 0 where it does not lower the force MAE of the evidence by 2 %.
    """
    scale = float(np.sqrt(np.mean(evidence.residual[~evidence.outside] ** 2)))
    share = np.minimum(1.0, (scale / evidence.residual) ** 2)
    weight = evidence.residual / evidence.error
    best = evidence.product / evidence.residual**2
    columns = np.stack([share, 1.0 - share], axis=1)
    solved = lsq_linear(columns * weight[:, None], best * weight, bounds=(0.0, 1.0))
    limits = [float(value) for value in solved.x]
    inside, far = limits
    betas = share * inside + (1.0 - share) * far
    gain = {}
    for where, chosen in (("inside", ~evidence.outside), ("outside", evidence.outside)):
        before = float(evidence.corrected[chosen, 0].mean())
        gain[where] = 1.0 - float(evidence.corrected_with(betas)[chosen].mean()) / before
    if gain["inside"] < LEAST_GAIN:
        inside = 0.0
    if gain["outside"] < LEAST_GAIN:
        far = inside = 0.0
    told = (
        f"on {int(evidence.outside.sum())} training structures whose compositions were left out "
        f"of training, it lowers the force error by {gain['outside']:.0%}, and by "
        f"{gain['inside']:.0%} on {int((~evidence.outside).sum())} others; the errors of the two "
        f"heads correlate at {evidence.correlation:.2f} outside"
    )
    return CorrectionRule(prior, head, scale, inside, far, told)


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))
