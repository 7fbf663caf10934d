"""Compare a model with reference labels: the verb ``evaluate``."""

from __future__ import annotations

from farfield.benchmarks import Errors, errors
from farfield.potentials import Potential
from farfield.refinement import load_model
from farfield.structures import require_labels, without_labels
from farfield.verbs.inputs import Structures, structures_of


def evaluate(test: Structures, *, model: Potential | str, head: str | None = None) -> Errors:
    """Compare the predictions of ``model`` with the reference labels of ``test``.

    Parameters
    ----------
    test
        Structures with reference forces, or files of them.
    model
        Any model; see :func:`farfield.refinement.load_model`.
    head
        The output head; None takes the main head.

    Raises
    ------
    LabelError
        A structure has no reference forces, or levels of theory differ.
    """
    structures = structures_of(test)
    labels = require_labels(structures, purpose="evaluation")
    potential = load_model(model)
    predictions = potential.predict(without_labels(structures), head)
    return errors(structures, predictions, labels)
