"""What is replayed: the user's training structures, or those that the profile keeps."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.refinement.adaptation.replay import apart_from
from farfield.shifts import Profile


def replayed(
    given: Sequence[Atoms] | None, profile: Profile | None, structures: Sequence[Atoms]
) -> tuple[Sequence[Atoms] | None, str]:
    """The labelled training structures to replay, and a sentence that says whose they are.

    Parameters
    ----------
    given
        Those of ``--replay``, which come first.
    profile
        Of the training set; it may keep a coreset.
    structures
        Those to refine for; what the coreset holds of them is left out, as its reference labels
        are labels of test structures.
    """
    if given is not None:
        return given, f"{len(given)} training structures were given to replay"
    if profile is None or profile.coreset is None:
        lacks = "there is no profile" if profile is None else "the profile keeps none"
        return None, (
            f"no training structure is replayed, as --replay was not given and {lacks} "
            "(farfield profile --coreset N): nothing keeps the model from forgetting"
        )
    kept = profile.coreset.structures
    found = apart_from(kept, structures)
    told = f"{len(found)} training structures kept in the profile are replayed"
    if len(found) < len(kept):
        told += f", {len(kept) - len(found)} others not: they are among those to refine for"
    return found, told
