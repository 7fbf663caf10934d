"""The public contract tests that adapters and priors, ours and others', must pass."""

from farfield.testing.potentials import check_potential
from farfield.testing.priors import check_prior

__all__ = ["check_potential", "check_prior"]
