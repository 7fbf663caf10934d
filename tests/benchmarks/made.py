"""Results of benchmarks made up for tests of what comes after: their statistics and the page."""

from __future__ import annotations

from typing import Any

import numpy as np

SETS = {"new_molecules": "molecules", "new_element": "elements"}
CONTESTANTS = {
    "supervised": ("supervised", False, False),
    "prior_alone": ("prior alone", True, False),
    "joint": ("joint, untouched", False, False),
    "ttt": ("joint, test-time training", False, False),
    "cautious_correction": ("joint, corrected, cautious β", True, False),
    "fine_tune_10": ("supervised, fine-tuned on 10 LABELLED", False, True),
}
FACTORS = {
    "supervised": 1.0,
    "prior_alone": 0.7,
    "joint": 0.95,
    "ttt": 0.6,
    "cautious_correction": 0.35,
    "fine_tune_10": 0.5,
}
SIZE = 16  # structures of a set


def results(
    families: dict[str, float] | None = None,
    *,
    seeds: tuple[int, ...] = (0, 1),
    lacking: tuple[str, str] | None = None,
    mode: str = "standard",
    **task: Any,
) -> dict[str, Any]:
    """A result file's content: families with the error of each in distribution, eV/Å.

    ``lacking`` is a family and a contestant that it cannot be; ``task`` changes what is told of
    the task.
    """
    families = families or {"mace": 0.06, "painn": 0.08}
    random = np.random.default_rng(0)
    far = {"control": 1.0, "new_molecules": 4.0, "new_element": 7.0}
    distance = {name: value * random.uniform(0.6, 1.6, SIZE) for name, value in far.items()}
    entries, distances, models = [], [], []
    for family, size in families.items():
        about = {"task": "toy", "family": family}
        models.append(
            about
            | {"architecture": family, "settings": {}, "training": {}, "parameters": 50_000}
            | {"conservative": family != "gemnet-dt", "training_seconds": {"joint-seed0": 12.0}}
        )
        for seed in seeds:
            for name in CONTESTANTS:
                for title in far:
                    what = about | {"seed": seed, "contestant": name, "set": title}
                    if (family, name) == lacking:
                        entries.append(what | {"status": "n/a", "reason": "it has no such thing"})
                        continue
                    entries.append(what | _entry(random, title, name, size * distance[title]))
            told = {
                title: {"quantile": [1.0] * SIZE, "scores": {"connectivity": list(values)}}
                for title, values in distance.items()
            }
            distances.append(
                about
                | {"seed": seed, "status": "done", "lines": {"connectivity": 1.5}, "sets": told}
            )
    return {
        "schema": "farfield-benchmark/1",
        "mode": mode,
        "title": "Made up for a test",
        "command": f"farfield bench run --mode {mode} -o run",
        "versions": {"farfield": "0.1.0", "torch": "2.6"},
        "hardware": {"processor": "a processor", "processors": 2, "accelerator": None},
        "seeds": list(seeds),
        "tasks": {
            "toy": {
                "title": "A toy",
                "level_of_theory": "PBE",
                "licence": "MIT",
                "source": "nowhere",
                "prior": "gfn2",
                "metric": "force_mae",
                "unit": "eV/Å",
                "axes": SETS,
                "fingerprint": "0123",
                "training_fingerprint": "89ab",
                "definition": {"name": "toy"},
                **task,
            }
        },
        "contestants": {
            name: {"title": title, "prior_at_inference": prior, "sees_labels": labels}
            for name, (title, prior, labels) in CONTESTANTS.items()
        },
        "models": models,
        "distances": distances,
        "entries": entries,
        "seconds": 120.0,
    }


def _entry(
    random: np.random.Generator, title: str, name: str, errors: np.ndarray
) -> dict[str, Any]:
    factor = 1.0 if title == "control" else FACTORS[name]
    judged = np.sort(random.permutation(SIZE)[: SIZE // 2])
    noisy = factor * errors * random.uniform(0.9, 1.1, SIZE)
    acted = name in ("ttt", "cautious_correction")
    control = noisy[judged] if title == "control" else 0.06 * random.uniform(0.8, 1.2, SIZE)
    return {
        "status": "done",
        "errors": noisy[judged].tolist(),
        "control": control.tolist(),
        "places": judged.tolist(),
        "seconds": 1.5,
        "predict": 0.01,
        "record": {"acted": True, "reasons": [], "figures": {}} if acted else None,
    }
