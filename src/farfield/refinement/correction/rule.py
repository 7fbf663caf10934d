"""How much of the prior head's known error is taken off the main head: β."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from farfield.refinement.comparison import Comparison

KIND = "correction"
UNEXPLAINED = 1.5  # most of a prior's forces that a model may have no counterpart to
LEAST_LEARNED = 0.5  # least share of the prior's forces that its head has learned in training


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
    trusted
        β is 0 for a structure where the unexplained part of the prior's forces
        (:class:`~farfield.refinement.comparison.Comparison`) is larger than this: there it is
        the prior that fails rather than the model. None trusts the prior everywhere.
    """

    prior: str
    head: str
    scale: float
    inside: float
    far: float
    evidence: str
    trusted: float | None = UNEXPLAINED

    def trusts(self, seen: Comparison) -> bool:
        """Whether the prior is believed on a structure."""
        return self.trusted is None or seen.unexplained <= self.trusted

    def beta_of(self, seen: Comparison) -> float:
        """β of a structure."""
        return self.beta(seen.residual) if self.trusts(seen) else 0.0

    def beta(self, residual: float) -> float:
        """β for a root mean square prior residual (eV/Å), where the prior is trusted."""
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


def cautious(prior: str, head: str, scale: float, size: float) -> CorrectionRule:
    """The rule for a model of which no evidence is at hand.

    In distribution nothing is done, and far from it the residual is taken off: the estimate of
    James and Stein, with the residual in distribution as the noise. Its limit is the share of
    the prior's forces that the head has learned, 1 - (scale / size)², and 0 where that is less
    than a half: such a prior carries no information that this model could use.

    Parameters
    ----------
    prior, head, scale
        As for the rule.
    size
        Root mean square of the prior's forces on the structures of ``scale``, eV/Å.
    """
    learned = max(0.0, 1.0 - (scale / size) ** 2)
    share = f"its head has learned {learned:.0%} of the prior's forces in training"
    if learned < LEAST_LEARNED:
        return CorrectionRule(prior, head, scale, 0.0, 0.0, f"{share}, less than a half")
    told = (
        "no group was left out of training to learn β: it is 0 where the prior residual is as "
        f"in training and tends to {learned:.2f} where it is larger ({share})"
    )
    return CorrectionRule(prior, head, scale, inside=0.0, far=learned, evidence=told)
