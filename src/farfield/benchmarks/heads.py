"""How alike the two heads of a model err, told with labels: to check the theory, not to use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.benchmarks.bench import Bench
from farfield.benchmarks.zoo import Strategy
from farfield.structures import require_labels, without_labels


def compare_heads(
    bench: Bench, strategy: Strategy, structures: Sequence[Atoms]
) -> dict[str, float]:
    """Correlation of the two heads' errors over all force components, and the best β."""
    model = bench.model(strategy)
    bare = without_labels(structures)
    reference = require_labels(structures, purpose="the comparison of the heads")
    prior = bench.zoo.prior_labels(bare)
    main = model.predict(bare)
    cheap = model.predict(bare, bench.zoo.prior.name)

    def joined(pairs: zip[tuple[object, object]]) -> np.ndarray:
        return np.concatenate([(a.forces - b.known_forces).ravel() for a, b in pairs])  # type: ignore[attr-defined]

    error = joined(zip(main, reference, strict=True))
    residual = joined(zip(cheap, prior, strict=True))
    return {
        "correlation": float(np.corrcoef(error, residual)[0, 1]),
        "best_beta": float(error @ residual / (residual @ residual)),
        "main_rms_eV_per_A": float(np.sqrt(np.mean(error**2))),
        "residual_rms_eV_per_A": float(np.sqrt(np.mean(residual**2))),
    }
