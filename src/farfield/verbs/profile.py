"""Fit the profile of a training set: the verb ``profile``."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential, fingerprint
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.shifts import Profile, force_source, observe
from farfield.shifts.profile import fit, save
from farfield.structures import labels_of, single_level, without_labels
from farfield.verbs.inputs import prior_labels, structures_of


def profile(
    train: Atoms | Path | str | Sequence[Atoms] | Sequence[Path | str],
    *,
    model: Potential | str | None = None,
    cutoff: float | None = None,
    prior: Prior | str | None = None,
    seed: int = 0,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
) -> Profile:
    """Fit the profile of a training set.

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
        Without a model: its forces are the proxy for the force norm.
    seed
        Of the folds that give the null distributions.
    workers, cache
        For labelling with the prior.
    output
        The file to write; None writes nothing.

    Raises
    ------
    ConfigError
        Neither a model nor a cutoff was given, or a cutoff that is not the model's.
    ProfileError
        Fewer than ten structures.
    """
    if model is None and cutoff is None:
        raise ConfigError("a profile needs --model, or --cutoff (Å) when there is no model")
    structures = [atoms for atoms in structures_of(train) if len(atoms) > 1]
    potential = None if model is None else load_model(model, cutoff=cutoff)
    if potential is not None and cutoff is not None and potential.cutoff != cutoff:
        raise ConfigError(
            f"{potential.name} has the cutoff {potential.cutoff} Å, not {cutoff} Å: "
            "leave --cutoff out"
        )
    chosen = None if prior is None else load_prior(prior)
    proxy = None
    if potential is None and chosen is not None:
        proxy = prior_labels(structures, chosen, workers=workers, cache=cache)
    labels = [labels_of(atoms) for atoms in structures]
    observations = observe(
        without_labels(structures), potential=potential, cutoff=cutoff, prior_labels=proxy
    )
    header = {
        "farfield": version("farfield"),
        "n_structures": len(structures),
        "cutoff": observations[0].graph.cutoff if observations else None,
        "model": None if potential is None else potential.name,
        "model_fingerprint": None if potential is None else fingerprint(potential),
        "prior": None if chosen is None else chosen.name,
        "force_source": force_source(potential, chosen),
        "level_of_theory": single_level([label for label in labels if label], "a profile"),
    }
    fitted = fit(observations, seed=seed, header=header)
    if output is not None:
        save(fitted, Path(output))
    return fitted
