"""How alike the two heads of a model err, told with labels: to check the theory, not to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms

from farfield.benchmarks.bench import Bench
from farfield.benchmarks.zoo import Strategy
from farfield.priors import load_prior
from farfield.structures import require_labels, without_labels


def compare_heads(
    bench: Bench, strategy: Strategy, structures: Sequence[Atoms], spec: str | None = None
) -> dict[str, float]:
    """Correlation of the two heads' errors over all force components, and the best β.

    ``spec`` names the prior of a retrofitted model, if it is not the task's.
    """
    model = bench.model(strategy, spec)
    chosen = bench.zoo.prior if spec is None else load_prior(spec)
    bare = without_labels(structures)
    reference = require_labels(structures, purpose="the comparison of the heads")
    prior = bench.zoo.prior_labels(bare, chosen)
    main = model.predict(bare)
    cheap = model.predict(bare, chosen.name)

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


def heads_table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """What :func:`compare_heads` says, by strategy and set, as Markdown; empty if of nothing."""
    if not found:
        return ""
    sets = list(next(iter(found.values())))
    lines = [
        "| | " + " | ".join(name.replace("_", " ") for name in sets) + " |",
        "|---" * (len(sets) + 1) + "|",
    ]
    for strategy, each in found.items():
        cells = [
            f"{each[name]['correlation']:.2f} ({each[name]['best_beta']:.2f})" for name in sets
        ]
        lines.append(f"| {strategy} | " + " | ".join(cells) + " |")
    title = "Correlation of the two heads' errors (best β, told with labels), seed 0:"
    return "\n".join([title, "", *lines]) + "\n"
