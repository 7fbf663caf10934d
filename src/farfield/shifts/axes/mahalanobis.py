"""The axis of Mahalanobis distances of node features, per element."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.axes.representation import feature_scale, features_of, no_features
from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.remembered.totals import MOST_FEATURES

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory

SHRINKAGE = 0.05  # towards the mean variance


@final
class Mahalanobis(Detector):
    """Mahalanobis distance of each atom's features to the mean of its element in training.

    The covariance is that of all atoms about the means of their elements, the same for all
    elements (Lee et al., arXiv 1807.03888), of features in units of their standard deviation,
    shrunk towards the mean variance by five per cent. Distances are divided by the square
    root of the number of features. An element never seen is compared with the mean of all
    atoms. A structure scores the mean over its atoms. All sums are exact: every training atom
    counts, not a sample.
    """

    axis = "mahalanobis"
    title = "Representation, Mahalanobis"
    unit = "standard deviations per feature"
    explanation = (
        "Mahalanobis distance of the model's node features to the mean of the same element in "
        "training, averaged over the atoms."
    )

    def missing(self, seen: Described) -> str | None:
        features = seen.features
        if features is not None and features.shape[1] > MOST_FEATURES:
            return f"more than {MOST_FEATURES} node features, for which no covariance is kept"
        return no_features(seen)

    def fit(self, memory: Memory) -> State:
        totals, scale = memory.totals, feature_scale(memory)
        counts = totals.described.astype(float)
        means = totals.features / np.maximum(counts, 1.0)[:, None]
        means[counts == 0] = totals.features.sum(axis=0) / counts.sum()
        within = totals.products - (means * counts[:, None]).T @ means
        covariance = within / counts.sum() / np.outer(scale, scale)
        average = max(float(np.trace(covariance)) / len(scale), np.finfo(float).tiny)
        shrunk = (1.0 - SHRINKAGE) * covariance + SHRINKAGE * average * np.eye(len(scale))
        values, vectors = np.linalg.eigh(shrunk)
        values = np.maximum(values, SHRINKAGE * average)
        return {"means": means / scale, "scale": scale, "whitening": vectors / np.sqrt(values)}

    def score(self, seen: Described, state: State) -> Score:
        apart = features_of(seen) / state["scale"] - state["means"][seen.numbers]
        lengths = np.linalg.norm(apart @ state["whitening"], axis=1)  # (n, F) @ (F, F)
        atoms = lengths / np.sqrt(len(state["scale"]))
        mean = float(atoms @ seen.weights)
        return Score(
            structure=mean,
            atoms=atoms,
            reason=f"its node features lie {mean:.2f} standard deviations from the means of "
            "their elements in training",
        )
