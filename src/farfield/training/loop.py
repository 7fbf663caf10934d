"""The training loop: shuffled batches, Adam, one-cycle learning rate, averaged weights."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.optim.lr_scheduler import OneCycleLR

from farfield.errors import ConfigError
from farfield.potentials import TrainablePotential, fingerprint
from farfield.potentials.trainable import BatchPrediction
from farfield.training import checkpoint as checkpoints
from farfield.training.averaging import AveragedWeights
from farfield.training.distributed import Processes
from farfield.training.losses import energy_forces_loss
from farfield.training.pairs import Unit, difference_loss, pair_sizes, units
from farfield.training.samples import Sample, Targets, targets
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

    With ``settings.patience`` these are the averaged weights of the epoch that did best on
    ``validation``, and the run ends when so many further epochs have not done better. Under
    :func:`farfield.training.distributed.joined` the processes share each batch, and the first
    alone writes and reports.

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
        Judged by the averaged weights after each tenth of the run, with patience after each
        epoch.
    checkpoint
        File that is written after every epoch, and from which a killed run goes on.
    report
        Called with the record of each epoch.

    Returns
    -------
    One record per epoch: ``epoch``, ``loss``, ``force_rmse`` (eV/Å), ``seconds``, and where
    it was judged ``valid_force_mae`` (eV/Å).

    Raises
    ------
    ConfigError
        Patience without validation.
    ModelError
        The checkpoint is of another run.
    """
    named = potential.representation_parameters() | potential.head_parameters()
    held = {id(parameter) for parameter in frozen}
    for parameter in named.values():
        parameter.requires_grad_(id(parameter) not in held)
    moving = {name: value for name, value in named.items() if id(value) not in held}
    parameters = list(moving.values())
    groups = units(samples, settings.difference_weight > 0)
    steps = min(-(-len(samples) // settings.batch_size), len(groups))
    optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate, amsgrad=True)
    schedule = OneCycleLR(
        optimiser,
        max_lr=settings.learning_rate,
        total_steps=steps * settings.epochs,
        pct_start=settings.warm_up,
    )
    averaged = AveragedWeights(parameters, settings.ema_decay)
    history: list[Record] = []
    best: list[torch.Tensor] = []
    processes = Processes()
    if settings.patience is not None and not validation:
        raise ConfigError("patience needs structures to judge by: give --valid, or leave it away")

    judging = validation if settings.patience is not None else ()
    run = _run_hash(potential, moving, [*samples, *judging], settings)
    found = checkpoints.load(checkpoint, run) if checkpoint is not None else None
    processes.wait()  # the first may end, and remove it, before another has read it
    if found is not None:
        potential.restore(found.model)
        averaged.values, best, history = found.averaged, found.best, found.history
        optimiser.load_state_dict(found.optimiser)
        schedule.load_state_dict(found.schedule)

    for epoch in range(len(history), settings.epochs):
        if settings.patience is not None and epoch - best_epoch(history) >= settings.patience:
            break
        start = time.monotonic()
        order = np.random.default_rng((settings.seed, epoch)).permutation(len(groups))
        figures = []
        for places in np.array_split(order, steps):
            optimiser.zero_grad()
            figures.append(_backward(potential, [groups[k] for k in places], settings, processes))
            processes.sum_gradients(parameters)
            torch.nn.utils.clip_grad_norm_(parameters, settings.clip_norm)
            optimiser.step()
            schedule.step()
            averaged.update()
        loss, square = processes.sum(np.array(figures)).mean(axis=0).tolist()
        record = {
            "epoch": epoch + 1.0,
            "loss": loss,
            "force_rmse": math.sqrt(square),
            "seconds": time.monotonic() - start,
        }
        judged = settings.patience is not None or (epoch + 1) % max(1, settings.epochs // 10) == 0
        if validation and judged:
            with averaged.applied():
                record["valid_force_mae"] = _shared_force_mae(potential, validation, processes)
        history.append(record)
        if settings.patience is not None and best_epoch(history) == epoch + 1:
            best = [value.clone() for value in averaged.values]
        if not processes.first:
            continue
        report(record)
        if checkpoint is not None:
            checkpoints.save(
                checkpoint,
                checkpoints.Checkpoint(
                    run,
                    epoch + 1,
                    potential.state(),
                    averaged.values,
                    best,
                    optimiser.state_dict(),
                    schedule.state_dict(),
                    history,
                ),
            )
    averaged.values = best or averaged.values
    averaged.apply()
    return history


def best_epoch(history: Sequence[Record]) -> int:
    """The epoch with the least validation error, 0 before there is one."""
    errors = [record.get("valid_force_mae", math.inf) for record in history]
    known = [error for error in errors if error < math.inf]  # one that is not a number is not
    return errors.index(min(known)) + 1 if known else 0


def _backward(
    potential: TrainablePotential,
    groups: Sequence[Unit],
    settings: TrainingSettings,
    processes: Processes,
) -> tuple[float, float]:
    """Add the gradients of this process's share of a batch.

    Returns its part of the loss, and of the mean square error of the forces, (eV/Å)².
    """
    own = processes.share(groups)
    mine, samples = ([sample for unit in part for sample in unit] for part in (own, groups))
    if not mine:
        return 0.0, 0.0
    of_structures = len(mine) / len(samples)
    of_atoms = sum(len(s.atoms) for s in mine) / sum(len(s.atoms) for s in samples)
    target = targets(mine, potential)
    batch = potential.batch([sample.atoms for sample in mine], [sample.head for sample in mine])
    prediction = potential.forward(batch, training=True)
    loss = energy_forces_loss(
        prediction,
        target,
        settings.energy_weight * of_structures,
        settings.forces_weight * of_atoms,
    )
    if settings.difference_weight > 0:
        loss = loss + settings.difference_weight * _difference(
            prediction, target, own, groups, settings
        )
    loss.backward()
    square = (prediction.forces.detach() - target.forces).pow(2).mean().item()
    return loss.item(), of_atoms * square


def _difference(
    prediction: BatchPrediction,
    target: Targets,
    own: Sequence[Unit],
    groups: Sequence[Unit],
    settings: TrainingSettings,
) -> torch.Tensor:
    """The part of this process in the loss of the difference of the heads."""
    (pairs, atoms), (all_pairs, all_atoms) = pair_sizes(own), pair_sizes(groups)
    return difference_loss(
        prediction,
        target,
        own,
        settings.energy_weight * pairs / max(1, all_pairs),
        settings.forces_weight * atoms / max(1, all_atoms),
    )


def _shared_force_mae(
    potential: TrainablePotential, samples: Sequence[Sample], processes: Processes
) -> float:
    """The same as :func:`force_mae`, each process judging its share."""
    mine = processes.share(samples)
    errors = np.abs(force_errors(potential, mine)) if mine else np.empty(0)
    total, count = processes.sum(np.array([errors.sum(), float(errors.size)])).tolist()
    return float(total / count)


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
