"""How much of the prior head's known error is taken off the main head: β."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

KIND = "correction"


@dataclass(frozen=True)
class CorrectionRule:
    """β as a function of the prior residual, which needs no label.

    The errors of the two heads are taken as a shared one, of the representation, and one of
    each head's own. Far from training the shared one grows and the own ones do not, so that

        β(ρ) = far - (far - inside) · min(1, (scale / ρ)²),

    where ρ is the root mean square of the prior residual over a structure. The derivation
    stands in ``docs/correction.md``.

    Attributes
    ----------
    prior
        The prior, as :func:`farfield.priors.load_prior` takes it.
    head
        The head that learned it.
    scale
        Root mean square prior residual on held-out structures like those in training, eV/Å.
    inside, far
        β there, and its limit far from training; both from 0 to 1.
    evidence
        Where the two come from, in one sentence.
    """

    prior: str
    head: str
    scale: float
    inside: float
    far: float
    evidence: str

    def beta(self, residual: float) -> float:
        """β of a structure with this root mean square prior residual (eV/Å)."""
        share = 1.0 if residual <= self.scale else (self.scale / residual) ** 2
        return self.far - (self.far - self.inside) * share

    @property
    def acts(self) -> bool:
        """Whether β is above zero anywhere."""
        return max(self.inside, self.far) > 0.0

    def to_plain(self) -> dict[str, Any]:
        """Plain values, for a model file or a profile."""
        return {"kind": KIND, **asdict(self)}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> CorrectionRule:
        """Build the rule from :meth:`to_plain`."""
        return cls(**{key: value for key, value in content.items() if key != "kind"})


def cautious(prior: str, head: str, scale: float) -> CorrectionRule:
    """The rule for a model of which no evidence is at hand.

    In distribution nothing is done, and far from it the residual is taken off in full: the
    estimate of James and Stein, with the residual in distribution as the noise.
    """
    return CorrectionRule(
        prior,
        head,
        scale,
        inside=0.0,
        far=1.0,
        evidence="no group was left out of training to learn β: it is 0 where the prior residual "
        "is as in training and tends to 1 where it is larger",
    )
