"""Profiles of the parts of a training set, merged into the profile of the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from farfield.errors import ProfileError
from farfield.shifts.profile import Profile, derive
from farfield.shifts.remembered.coreset import merge_coresets
from farfield.shifts.remembered.memory import Memory

SAME = {
    "version": "version",
    "model": "model",
    "model_fingerprint": "weights of the model",
    "cutoff": "cutoff",
    "prior": "prior",
    "committee": "committee",
    "force_source": "proxy of the force norm",
    "level_of_theory": "level of theory",
    "seed": "seed",
    "coreset": "coreset",
}
DERIVED = frozenset(
    {"farfield", "n_structures", "n_held_out", "not_fitted", "error_estimate", "n_coreset"}
)


def merge(profiles: Sequence[Profile], names: Sequence[str] | None = None) -> Profile:
    """The profile of all structures of all profiles, the same as if it had been made at once.

    Counts and samples are those of the whole to the last bit, sums to rounding. A structure
    that stands in several parts counts as often as it stands there, as it would in the whole.
    A coreset by loss is that of the whole; one by farthest points is chosen from those of the
    parts, the same in whatever order they come.

    Parameters
    ----------
    profiles
        At least one.
    names
        What to call them in an error, such as their files.

    Raises
    ------
    ProfileError
        The profiles differ in model, cutoff, prior, level of theory, seed, version or what
        coreset was asked for; or in
        what was learned by leaving groups out; or a training structure of one is held out in
        another.
    """
    if not profiles:
        raise ProfileError("there is no profile to merge")
    called = [f"profile {place}" for place in range(1, len(profiles) + 1)]
    called = called if names is None else list(names)
    first = profiles[0]
    for other, name in zip(profiles[1:], called[1:], strict=True):
        for key, words in SAME.items():
            ours, theirs = first.header.get(key), other.header.get(key)
            if ours != theirs:
                raise ProfileError(
                    f"{called[0]} and {name} do not go together: the {words} of the first is "
                    f"{ours!r}, of the second {theirs!r}"
                )
    train = _merged([profile.train for profile in profiles])
    held = [profile.held_out for profile in profiles if profile.held_out is not None]
    held_out = _merged(held) if held else None
    coreset = merge_coresets([profile.coreset for profile in profiles])
    return derive(train, held_out, {**first.header, **_learned(profiles, called)}, coreset)


def _merged(memories: Sequence[Memory]) -> Memory:
    whole = memories[0]
    for memory in memories[1:]:
        whole = whole.merged(memory)
    return whole


def _learned(profiles: Sequence[Profile], names: Sequence[str]) -> dict[str, Any]:
    """What is in a header beside what must agree and what is derived: of one, or of all alike."""
    found: dict[str, tuple[str, Any]] = {}
    for profile, name in zip(profiles, names, strict=True):
        for key, value in profile.header.items():
            if key in SAME or key in DERIVED:
                continue
            owner, known = found.setdefault(key, (name, value))
            if known != value:
                raise ProfileError(
                    f"{owner} and {name} learned different things of {key!r} by leaving groups "
                    "out, which cannot be merged: make the parts without --leave-out"
                )
    return {key: value for key, (_, value) in found.items()}
