"""The axis of the representation: the model's own node features against training features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from scipy.spatial.distance import cdist

from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation
from farfield.shifts.subsample import per_element, same_element

KEPT_ATOMS = 256  # per element
LEAST_SPREAD = 1e-3  # of the root mean square spread: below it, features are rounding noise


@final
class Representation(Detector):
    """Distance of each atom's features to those of the nearest training atom of its element.

    Features are divided by their standard deviation over the training atoms (those that
    hardly vary, by a thousandth of the typical one), and distances by the square root of
    the number of features. A structure scores the mean over its atoms.
    """

    axis = "representation"
    title = "Representation"
    unit = "standard deviations per feature"
    explanation = (
        "Distance of the model's node features to those of the nearest training atom of the "
        "same element, averaged over the atoms."
    )

    def missing(self, observation: Observation) -> str | None:
        if observation.features is None:
            return "no node features: give the model, through an adapter that offers them"
        return None

    def fit(self, observations: Sequence[Observation]) -> State:
        numbers = np.concatenate([observation.graph.numbers for observation in observations])
        features = np.concatenate([_features(observation) for observation in observations])
        spread = features.std(axis=0)
        least = LEAST_SPREAD * np.sqrt(np.mean(spread**2))
        kept = per_element(numbers, KEPT_ATOMS)
        return {
            "scale": np.maximum(spread, least) if least > 0.0 else np.ones_like(spread),
            "features": features[kept].astype(np.float32),
            "numbers": numbers[kept],
        }

    def score(self, observation: Observation, state: State) -> Score:
        numbers, scale = observation.graph.numbers, state["scale"].astype(float)
        features = _features(observation) / scale
        atoms = np.zeros(len(numbers))
        for number in np.unique(numbers):
            chosen = numbers == number
            known = state["features"][same_element(state["numbers"], number)].astype(float) / scale
            atoms[chosen] = cdist(features[chosen], known).min(axis=1) / np.sqrt(len(scale))
        mean = float(atoms.mean())
        return Score(
            structure=mean,
            atoms=atoms,
            reason=f"its node features lie {mean:.2f} standard deviations from the nearest "
            "training atoms",
        )


def _features(observation: Observation) -> np.ndarray:
    assert observation.features is not None
    return observation.features
