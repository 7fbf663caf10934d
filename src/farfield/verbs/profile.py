"""Fit the profile of a training set: the verb ``profile``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.errors import ConfigError, LabelError, ProfileError
from farfield.potentials import Potential, fingerprint
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.refinement.radius.refinement import EVIDENCE as RADIUS_EVIDENCE
from farfield.shifts import Observation, Profile, force_source, merge
from farfield.shifts.expected_error import LEFT_OUT
from farfield.shifts.profile import VERSION, derive, remember
from farfield.shifts.profile_files import load, save
from farfield.shifts.remembered.coreset import FARTHEST, Coreset
from farfield.structures import Labels, describe, labels_of, single_level
from farfield.verbs.evidence import learned_radius, learned_rule
from farfield.verbs.inputs import Structures, members_of, parts_of, structures_of
from farfield.verbs.methods import EVIDENCE
from farfield.verbs.observations import observed

PART = 512  # structures that are in memory at a time, beside one file


def profile(
    train: Structures,
    *,
    model: Potential | str | None = None,
    cutoff: float | None = None,
    prior: Prior | str | None = None,
    committee: Sequence[Potential | str] = (),
    calibration: Structures | None = None,
    leave_out: int | None = None,
    leave_out_epochs: int | None = None,
    coreset: int | None = None,
    coreset_by: str | None = None,
    seed: int = 0,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Profile:
    """Fit the profile of a training set, in one pass and bounded memory.

    Parameters
    ----------
    train
        Structures or files; isolated atoms among them are left out.
    model
        The model that was trained on them: its graph, its forces as the proxy for the force
        norm, and its node features.
    cutoff
        Radius of the graph, Å; needed when there is no model, or the model tells none.
    prior
        Beside a model: its forces are a second proxy for the force norm, and with a head of
        its name the model has the axis of the prior residual. Without a model: its forces are
        the proxy.
    committee
        Further models that were trained like ``model``, with other seeds: with it they make the
        axis of the committee.
    calibration
        Structures like those in training that the model was *not* fitted to. The null
        distributions of all axes are then theirs; without them these come from the training
        set itself, which is too narrow for the prior residual. Where at least 30 of them carry
        reference labels, a score is calibrated to the force error too.
    leave_out
        Number of groups of compositions that are left out of training in turn, to learn how
        prior correction should choose β, which mode and criterion of radius refinement helps,
        if any does, and what force error to expect beyond the domain of training (with
        ``calibration``). The model is trained again for each; the models are kept in a folder
        beside ``output``, and are not trained twice.
    leave_out_epochs
        Of each of these trainings; None takes as many as the model had.
    coreset
        Number of training structures to keep *with their reference labels* in the profile, so
        that test-time training and distillation can replay them. Without it a profile holds no
        structure and no label.
    coreset_by
        ``"farthest"`` (the default): far from each other in the representation; ``"loss"``:
        with the largest force errors of the model.
    seed
        Of the folds that give the null distributions, and of the halves of the calibration.
    workers, cache
        For labelling with the prior.
    output
        The file to write; None writes nothing.
    say
        Told of each training.

    Raises
    ------
    ConfigError
        Neither a model nor a cutoff was given, or a cutoff that is not the model's.
    ProfileError
        Fewer than ten structures, or a structure that stands in both sets.
    """
    if model is None and cutoff is None:
        raise ConfigError("a profile needs --model, or --cutoff (Å) when there is no model")
    potential = None if model is None else load_model(model, cutoff=cutoff)
    if potential is not None and cutoff is not None and potential.cutoff != cutoff:
        raise ConfigError(
            f"{potential.name} has the cutoff {potential.cutoff} Å, not {cutoff} Å: "
            "leave --cutoff out"
        )
    chosen = None if prior is None else load_prior(prior)
    members = members_of(potential, committee)
    wanted = _coreset(coreset, coreset_by, potential)
    stream = _Stream(potential, chosen, cutoff, members, workers, cache, wanted)
    held_out = None
    if calibration is not None:
        held_out = remember(stream.held_out(calibration), held_out=True)
    remembered = remember(stream.training(train))
    header = {
        "version": VERSION,
        "seed": seed,
        "farfield": version("farfield"),
        "cutoff": stream.cutoff,
        "model": None if potential is None else potential.name,
        "model_fingerprint": None if potential is None else fingerprint(potential),
        "prior": None if chosen is None else chosen.name,
        "committee": [fingerprint(member) for member in members],
        "force_source": force_source(potential, chosen),
        "prior_force_source": None if potential is None else force_source(None, chosen),
        "level_of_theory": single_level(stream.levels.values(), "a profile"),
    }
    if leave_out is not None:
        target = None if output is None else Path(output)
        asked: dict[str, Any] = {
            "prior": chosen,
            "parts": leave_out,
            "epochs": leave_out_epochs,
            "folder": None if target is None else target.with_name(target.name + ".left-out"),
            "workers": workers,
            "cache": cache,
            "say": say,
        }
        given = structures_of(train)
        if chosen is not None or potential is None:
            header[EVIDENCE], header[LEFT_OUT] = learned_rule(given, potential=potential, **asked)
        if potential is not None:
            header[RADIUS_EVIDENCE] = learned_radius(given, potential=potential, **asked)
    settled = None if wanted is None else wanted.settle()
    fitted = derive(remembered, held_out, header, settled)
    if output is not None:
        save(fitted, Path(output))
    return fitted


def merge_profiles(profiles: Sequence[Path | str], *, output: Path | str | None = None) -> Profile:
    """Merge the profiles of the parts of a training set into the profile of the whole.

    Parameters
    ----------
    profiles
        Files, of the same model, cutoff, prior, level of theory and seed.
    output
        The file to write; None writes nothing.

    Raises
    ------
    ProfileError
        The profiles do not go together; see :func:`farfield.shifts.merge`.
    """
    merged = merge([load(Path(path)) for path in profiles], [str(path) for path in profiles])
    if output is not None:
        save(merged, Path(output))
    return merged


def _coreset(most: int | None, by: str | None, potential: Potential | None) -> Coreset | None:
    if most is None:
        if by is not None:
            raise ConfigError("--coreset-by says how to choose: give --coreset N too")
        return None
    if potential is None:
        raise ConfigError("--coreset needs --model, by which its structures are chosen")
    return Coreset(most, by or FARTHEST)


class _Stream:
    """Structures observed a few hundred at a time, each once."""

    def __init__(
        self,
        potential: Potential | None,
        prior: Prior | None,
        cutoff: float | None,
        committee: Sequence[Potential],
        workers: int,
        cache: Path | str | None,
        coreset: Coreset | None,
    ) -> None:
        self._coreset = coreset
        self._potential = potential
        self._options: dict[str, Any] = {
            "potential": potential,
            "prior": prior,
            "cutoff": cutoff,
            "committee": committee,
            "workers": workers,
            "cache": cache,
        }
        self._held_out: dict[int, str] = {}
        self.cutoff: float | None = cutoff
        self.levels: dict[str, Labels] = {}

    def training(self, given: Structures) -> Iterator[Observation]:
        for atoms, seen in self._observed(given):
            if seen.key in self._held_out:
                raise ProfileError(
                    f"{self._held_out[seen.key]} is a training structure too: --calibration takes "
                    "structures that the model was not fitted to"
                )
            if self._coreset is not None:
                self._coreset.add(atoms, seen)
            yield seen

    def held_out(self, given: Structures) -> Iterator[Observation]:
        """With their force errors, where there are a model and reference forces."""
        for atoms, seen in self._observed(given):
            self._held_out[seen.key] = describe(atoms)
            labels = labels_of(atoms)
            if self._potential is None or labels is None or labels.forces is None:
                yield seen
                continue
            if not np.isfinite(labels.forces).all():
                raise LabelError(f"{describe(atoms)}: its 'REF' label is not a finite number")
            assert seen.forces is not None  # as there is a model
            yield replace(seen, force_error=seen.forces - labels.forces)

    def _observed(self, given: Structures) -> Iterator[tuple[Atoms, Observation]]:
        for part in parts_of(given, PART):
            structures = [atoms for atoms in part if len(atoms) > 1]
            for labels in filter(None, map(labels_of, structures)):
                self.levels.setdefault(labels.level_of_theory, labels)
            single_level(self.levels.values(), "a profile")
            for atoms, seen in zip(structures, observed(structures, **self._options), strict=True):
                self.cutoff = seen.cutoff
                yield atoms, seen
