"""The public contract tests that adapters and priors, ours and others', must pass."""

from farfield.testing.priors import check_prior

__all__ = ["check_prior"]
