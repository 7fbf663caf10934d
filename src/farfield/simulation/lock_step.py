"""Several ASE dynamics in lock step: their force calls become one call of the model.

ASE's integrators stay in charge. Each simulation makes its step in a thread of its own and
waits in its calculator for forces; when all wait, the model is asked once for all of them, in
the main thread. One simulation alone needs no thread. The results do not depend on which
thread comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.errors import FarfieldError
from farfield.potentials import Prediction
from farfield.simulation.model_calls import Answer, ModelCalls

Ask = Callable[[int, Atoms], Prediction]


@final
class SharedCalculator(Calculator):
    """ASE calculator of one simulation, which asks the model together with the others."""

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - as ASE has it

    def __init__(self, index: int, ask: Ask) -> None:
        super().__init__()
        self._index = index
        self._ask = ask

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Wait for the model's answer for ``atoms``."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # set by ASE
        self._take(self._ask(self._index, self.atoms))

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what changed since the last answer: in a simulation, atoms and cell can move.

        ASE compares everything that atoms can have, three times for every step; that takes
        longer than these two comparisons by a factor of fifty.
        """
        known = self.atoms
        if known is None:
            return list(all_changes)
        same = np.array_equal(known.positions, atoms.positions)
        return [] if same and np.array_equal(known.cell, atoms.cell) else ["positions", "cell"]

    def know(self, atoms: Atoms, prediction: Prediction) -> None:
        """Take an answer for ``atoms`` that is known already."""
        self.atoms = atoms.copy()
        self._take(prediction)

    def _take(self, prediction: Prediction) -> None:
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "forces": prediction.forces,
        }
        if prediction.stress is not None:
            self.results["stress"] = prediction.stress


@final
class LockStep:
    """Moves simulations together.

    Parameters
    ----------
    model
        What answers the force calls.
    count
        Number of simulations; each has an index below it.
    """

    def __init__(self, model: ModelCalls, count: int) -> None:
        self._model = model
        self._inbox: SimpleQueue[tuple[int, Atoms | None]] = SimpleQueue()
        self._answers: list[SimpleQueue[Answer]] = [SimpleQueue() for _ in range(count)]
        self._pool = ThreadPoolExecutor(count) if count > 1 else None
        self._alone = True

    def ask(self, index: int, atoms: Atoms) -> Prediction:
        """Return the model's answer for one simulation; called by its calculator."""
        if self._alone:
            answer = self._model([index], [atoms])[0]
        else:
            self._inbox.put((index, atoms))
            answer = self._answers[index].get()
        if isinstance(answer, FarfieldError):
            raise answer
        return answer

    def advance(self, moves: Mapping[int, Callable[[], object]]) -> dict[int, FarfieldError]:
        """Make the move of each simulation, such as one step; return what went wrong."""
        if self._pool is None or len(moves) == 1:
            outcomes = {index: _made(move) for index, move in moves.items()}
        else:
            self._alone = False
            running = {
                index: self._pool.submit(self._run, index, move) for index, move in moves.items()
            }
            self._serve(set(moves))
            outcomes = {index: future.result() for index, future in running.items()}
            self._alone = True
        return {index: error for index, error in outcomes.items() if error is not None}

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, index: int, move: Callable[[], object]) -> FarfieldError | None:
        try:
            return _made(move)
        finally:
            self._inbox.put((index, None))

    def _serve(self, moving: set[int]) -> None:
        """Answer until all moves are made; the model is asked when all that still move wait."""
        waiting: dict[int, Atoms] = {}
        try:
            while moving:
                index, atoms = self._inbox.get()
                if atoms is None:
                    moving.remove(index)
                else:
                    waiting[index] = atoms
                if waiting and len(waiting) == len(moving):
                    order = sorted(waiting)
                    answers = self._model(order, [waiting[each] for each in order])
                    waiting = {}
                    for each, answer in zip(order, answers, strict=True):
                        self._answers[each].put(answer)
        except BaseException:  # interrupted: let no thread wait for ever
            for index in moving:
                self._answers[index].put(FarfieldError("stopped"))
            raise


def _made(move: Callable[[], object]) -> FarfieldError | None:
    try:
        with np.errstate(all="ignore"):  # what overflows is found by the checks
            move()
    except FarfieldError as error:
        return error
    return None
