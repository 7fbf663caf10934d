"""The training loop: shuffled batches, Adam, one-cycle learning rate, averaged weights."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.optim.lr_scheduler import OneCycleLR

from farfield.potentials import TrainablePotential, fingerprint
from farfield.training import checkpoint as checkpoints
from farfield.training.averaging import AveragedWeights
from farfield.training.losses import energy_forces_loss
from farfield.training.samples import Sample, targets
from farfield.training.settings import TrainingSettings

Floats = npt.NDArray[np.float64]
Record = dict[str, float]
Report = Callable[[Record], None]


def fit(
    potential: TrainablePotential,
    samples: Sequence[Sample],
    settings: TrainingSettings,
    *,
    frozen: Collection[torch.nn.Parameter] = (),
    validation: Sequence[Sample] = (),
    checkpoint: Path | None = None,
    report: Report = lambda record: None,
) -> list[Record]:
    """Train ``potential`` in place; it ends with the averaged weights.

    Parameters
    ----------
    potential
        The model to train.
    samples
        Structures with labels; a batch mixes whatever heads they have.
    settings
        Epochs, rates and weights.
    frozen
        Parameters that stay as they are, such as those of the representation; all others move.
    validation
        Judged by the averaged weights after each tenth of the run.
    checkpoint
        File that is written after every epoch, and from which a killed run goes on.
    report
        Called with the record of each epoch.

    Returns
    -------
    One record per epoch: ``epoch``, ``loss``, ``force_rmse`` (eV/Å), ``seconds``, and where
    it was judged ``valid_force_mae`` (eV/Å).
    """
    named = potential.representation_parameters() | potential.head_parameters()
    held = {id(parameter) for parameter in frozen}
    for parameter in named.values():
        parameter.requires_grad_(id(parameter) not in held)
    moving = {name: value for name, value in named.items() if id(value) not in held}
    parameters = list(moving.values())
    steps = -(-len(samples) // settings.batch_size)
    optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate, amsgrad=True)
    schedule = OneCycleLR(
        optimiser,
        max_lr=settings.learning_rate,
        total_steps=steps * settings.epochs,
        pct_start=settings.warm_up,
    )
    averaged = AveragedWeights(parameters, settings.ema_decay)
    history: list[Record] = []

    run = _run_hash(potential, moving, samples, settings)
    found = checkpoints.load(checkpoint, run) if checkpoint is not None else None
    if found is not None:
        potential.restore(found.model)
        averaged.values, history = found.averaged, found.history
        optimiser.load_state_dict(found.optimiser)
        schedule.load_state_dict(found.schedule)

    for epoch in range(len(history), settings.epochs):
        start = time.monotonic()
        order = np.random.default_rng((settings.seed, epoch)).permutation(len(samples))
        losses, squares = [], []
        for places in np.array_split(order, steps):
            chosen = [samples[place] for place in places]
            target = targets(chosen, potential)
            batch = potential.batch(
                [sample.atoms for sample in chosen], [sample.head for sample in chosen]
            )
            prediction = potential.forward(batch, training=True)
            loss = energy_forces_loss(
                prediction, target, settings.energy_weight, settings.forces_weight
            )
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
            optimiser.step()
            schedule.step()
            averaged.update()
            losses.append(loss.item())
            squares.append((prediction.forces.detach() - target.forces).pow(2).mean().item())
        record = {
            "epoch": epoch + 1.0,
            "loss": float(np.mean(losses)),
            "force_rmse": float(np.sqrt(np.mean(squares))),
            "seconds": time.monotonic() - start,
        }
        if validation and (epoch + 1) % max(1, settings.epochs // 10) == 0:
            with averaged.applied():
                record["valid_force_mae"] = force_mae(potential, validation)
        history.append(record)
        report(record)
        if checkpoint is not None:
            checkpoints.save(
                checkpoint,
                checkpoints.Checkpoint(
                    run,
                    epoch + 1,
                    potential.state(),
                    averaged.values,
                    optimiser.state_dict(),
                    schedule.state_dict(),
                    history,
                ),
            )
    averaged.apply()
    return history


def force_mae(potential: TrainablePotential, samples: Sequence[Sample]) -> float:
    """Mean absolute error of the force components over all atoms, eV/Å."""
    return float(np.mean(np.abs(force_errors(potential, samples))))


def force_errors(potential: TrainablePotential, samples: Sequence[Sample]) -> Floats:
    """Errors of all force components, one after the other, eV/Å."""
    errors = []
    for head in dict.fromkeys(sample.head for sample in samples):
        chosen = [sample for sample in samples if sample.head == head]
        predictions = potential.predict([sample.atoms for sample in chosen], head)
        errors += [
            (prediction.forces - sample.labels.known_forces).ravel()
            for prediction, sample in zip(predictions, chosen, strict=True)
        ]
    return np.concatenate(errors)


def _run_hash(
    start: TrainablePotential,
    moving: Iterable[str],
    samples: Sequence[Sample],
    settings: TrainingSettings,
) -> str:
    """Hash all that a run depends on: the model it starts from, what moves, data, settings."""
    digest = hashlib.sha256(settings.model_dump_json().encode())
    digest.update(" ".join([fingerprint(start), *moving]).encode())
    for sample in samples:
        digest.update(sample.head.encode())
        digest.update(sample.atoms.numbers.tobytes() + sample.atoms.positions.tobytes())
        digest.update(np.asarray(sample.labels.forces).tobytes())
        digest.update(np.asarray(sample.labels.energy, dtype=float).tobytes())
    return digest.hexdigest()
