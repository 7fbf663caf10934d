"""The axis of the representation: the model's own node features against training features."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
from scipy.spatial.distance import cdist

from farfield.errors import ProfileError
from farfield.shifts.contract import Described, Detector, Floats, Score, State
from farfield.shifts.remembered.subsample import first_of_each, same_element

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory

KEPT_ATOMS = 256  # per element: so that folds and the whole are as dense, where there are many
LEAST_SPREAD = 1e-3  # of the root mean square spread: below it, features are rounding noise
DIGITS = 2.0**-11  # relative rounding of remembered features
NO_SPREAD = 1e-6  # of the features themselves


@final
class Representation(Detector):
    """Distance of each atom's features to those of the nearest training atom of its element.

    Features are divided by their standard deviation over the training atoms (those that
    hardly vary, by a thousandth of the typical one, or by the rounding of what is
    remembered), and distances by the square root of the number of features. A structure
    scores the mean over its atoms.
    """

    axis = "representation"
    default = True
    title = "Representation"
    unit = "standard deviations per feature"
    explanation = (
        "Distance of the model's node features to those of the nearest training atom of the "
        "same element, averaged over the atoms."
    )

    def missing(self, seen: Described) -> str | None:
        return no_features(seen)

    def fit(self, memory: Memory) -> State:
        numbers, features = memory.atoms("features")
        kept = first_of_each(numbers, KEPT_ATOMS)
        return {
            "scale": feature_scale(memory),
            "features": features[kept],
            "numbers": numbers[kept],
        }

    def score(self, seen: Described, state: State) -> Score:
        numbers, scale = seen.numbers, state["scale"]
        features = features_of(seen) / scale
        atoms = np.zeros(len(numbers))
        for number in np.unique(numbers):
            chosen = numbers == number
            known = state["features"][same_element(state["numbers"], number)].astype(float) / scale
            atoms[chosen] = cdist(features[chosen], known).min(axis=1) / np.sqrt(len(scale))
        mean = float(atoms @ seen.weights)
        return Score(
            structure=mean,
            atoms=atoms,
            reason=f"its node features lie {mean:.2f} standard deviations from the nearest "
            "training atoms",
        )


def no_features(seen: Described) -> str | None:
    """Say that a structure has no node features, if it has none."""
    if seen.features is None:
        return "no node features: give the model, through an adapter that offers them"
    return None


def features_of(seen: Described) -> Floats:
    """The features of a structure that is not missing them, shape (n, F).

    Rounded as those that are remembered: else a structure of training would be told from
    itself by what was rounded.
    """
    features = seen.features
    if features is None:
        raise ProfileError(
            f"a structure of {seen.n_atoms} atoms has no features: ask missing first"
        )
    rounded: Floats = features.astype(np.float16).astype(float)
    return rounded


def feature_scale(memory: Memory) -> Floats:
    """Standard deviation of each feature over the training atoms, never zero, shape (F,)."""
    totals = memory.totals
    count = totals.described.sum()
    mean = totals.features.sum(axis=0) / count
    square = totals.squares / count
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    size = np.sqrt(np.mean(square))
    if spread.max() <= NO_SPREAD * size:
        return np.ones_like(spread)
    least = LEAST_SPREAD * np.sqrt(np.mean(spread**2))
    return np.asarray(np.maximum(spread, np.maximum(least, DIGITS * np.sqrt(square))))
