"""Contestants that do nothing at test time."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.zoo import Strategy
from farfield.potentials import Prediction
from farfield.refinement import Delta


def supervised(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """A model trained on the reference alone."""
    return Contestant(bench.model("supervised").predict)


def joint(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Main head and prior head trained together, nothing done at test time."""
    return Contestant(bench.model("joint").predict)


def joint_difference(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same, trained on the difference of the two heads too."""
    return Contestant(bench.model("joint-difference").predict)


def prior_alone(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The prior itself."""
    return Contestant(lambda given: _by_prior(bench, given))


def delta(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """A separate model of reference minus prior, the prior added at inference."""
    return Contestant(Delta(bench.model("delta"), bench.zoo.prior, bench.cache).predict)


def freeze(strategy: Strategy, bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Pre-trained on the prior, then fitted to the reference; nothing done at test time."""
    return Contestant(bench.model(strategy).predict)


def _by_prior(bench: Bench, structures: Sequence[Atoms]) -> list[Prediction]:
    found = []
    for labels in bench.zoo.prior_labels(structures):
        assert labels.energy is not None  # a prior gives it
        found.append(Prediction(labels.energy, labels.known_forces))
    return found
