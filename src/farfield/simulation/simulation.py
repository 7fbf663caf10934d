"""One simulation: its atoms, its integrator, its checks and its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from ase import Atoms
from ase.md.md import MolecularDynamics

from farfield.errors import FarfieldError
from farfield.potentials import Prediction
from farfield.simulation.checkpoint import Arrays
from farfield.simulation.checks import Check, Finding, Frame, NotANumber
from farfield.simulation.files import SimulationFiles
from farfield.simulation.integrators import (
    draw_momenta,
    dynamics_state,
    make_dynamics,
    make_dynamics_anew,
    restore_dynamics,
)
from farfield.simulation.kept import Kept
from farfield.simulation.lock_step import Ask, SharedCalculator
from farfield.simulation.outcome import MODEL, Event
from farfield.simulation.settings import SimulationSettings


@final
class Simulation:
    """One simulation of one starting structure; see :meth:`begin` and :meth:`resume`.

    Parameters
    ----------
    place
        Its index among those that go in lock step.
    start
        The starting structure, without labels.
    seed
        Of velocities and random forces.
    settings, checks
        How it runs, and what watches it; the checks are its own.
    ask
        Where its calculator gets forces.
    folder, model
        Where its files are; name of the model.
    segment
        Number of the model: how often it was refined anew.
    """

    def __init__(
        self,
        place: int,
        start: Atoms,
        seed: tuple[int, ...],
        settings: SimulationSettings,
        checks: Sequence[Check],
        ask: Ask,
        folder: Path,
        model: str,
        segment: int = 0,
    ) -> None:
        self.atoms = start.copy()
        self.step = 0  # done with all checks passed
        self.failure: Event | None = None
        self.alarms: list[Event] = []
        self.checks = list(checks)
        self._settings = settings
        self._random = np.random.default_rng(seed)
        self._folder = folder
        self._model = model
        self._segment = segment
        self._before: dict[int, Kept] = {}  # last frame that passed, by stride of the check
        draw_momenta(self.atoms, settings, self._random)
        self._calculator = SharedCalculator(place, ask)
        self.atoms.calc = self._calculator
        self._dynamics: MolecularDynamics | None = None
        self._files: SimulationFiles | None = None
        self._first: Prediction | None = None

    def begin(self, first: Prediction) -> None:
        """Start, with the model's answer for the starting structure."""
        self._stand_at_start(first)
        self._files = self._opened(None)
        frame = self._frame(0)
        if self._passes(frame):
            self._files.add(frame, self._segment)

    def move(self) -> None:
        """Make one step; the model's failure is raised."""
        assert self._dynamics is not None
        self._dynamics.run(1)

    def judge(self, step: int, error: FarfieldError | None) -> None:
        """Look at the step just made, and write what is due."""
        assert self._files is not None
        if error is not None:
            unknown = Prediction(float("nan"), np.full((len(self.atoms), 3), np.nan))
            after = Frame(step, self._time(step), self.atoms, unknown.energy, unknown.forces)
            self._fail(after, [(MODEL, 1, Finding(str(error)))])
            return
        frame = self._frame(step)
        if self._passes(frame):
            self.step = step
            if step % self._settings.stride == 0:
                self._files.add(frame, self._segment)

    def close(self) -> None:
        """Close the files."""
        if self._files is not None:
            self._files.close()

    @property
    def figures(self) -> dict[str, float]:
        """What the checks measured."""
        return {key: value for check in self.checks for key, value in check.figures().items()}

    # --- on disk ----------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Everything that its next step depends on; its files are brought to the disk."""
        assert self._files is not None and self._first is not None and self._dynamics is not None
        plain = {
            "step": self.step,
            "sizes": self._files.sync(),
            "random": self._random.bit_generator.state,
            "dynamics": dynamics_state(self._dynamics),
            "checks": {check.name: check.state() for check in self.checks},
            "failure": None if self.failure is None else self.failure.plain(),
            "alarms": [alarm.plain() for alarm in self.alarms],
        }
        arrays = {
            "positions": self.atoms.positions,
            "momenta": self.atoms.arrays["momenta"],
            "cell": np.asarray(self.atoms.cell),
            **_arrays("first", self._first),
        }
        if self.failure is None:
            arrays |= _arrays("last", self._answer())
        return plain, arrays

    def resume(self, plain: dict[str, Any], arrays: Arrays) -> None:
        """Go on from :meth:`state`."""
        self._stand_at_start(_prediction("first", arrays))
        self.step = plain["step"]
        self.failure = None if plain["failure"] is None else Event(**plain["failure"])
        self.alarms = [Event(**alarm) for alarm in plain["alarms"]]
        for check in self.checks:
            check.restore(plain["checks"][check.name])
        self._files = self._opened(plain["sizes"])
        self.atoms.set_cell(arrays["cell"])
        self.atoms.positions = arrays["positions"]
        self.atoms.set_momenta(arrays["momenta"])
        self._random.bit_generator.state = plain["random"]
        if self.failure is None:
            self._calculator.know(self.atoms, _prediction("last", arrays))
            self._dynamics = make_dynamics(self.atoms, self._settings, self._random)
            self._dynamics.nsteps = self.step
        assert self._dynamics is not None
        restore_dynamics(self._dynamics, plain["dynamics"])
        frame = self._frame(self.step) if self.failure is None else None
        self._before = (
            {} if frame is None else {check.stride: Kept.of(frame) for check in self.checks}
        )

    def refined(self, answer: Prediction | FarfieldError) -> None:
        """Go on from :meth:`resume` with a model refined anew, whose answer for now this is."""
        assert self._dynamics is not None
        if isinstance(answer, FarfieldError):
            self.judge(self.step, answer)
            return
        self._calculator.know(self.atoms, answer)
        self._dynamics = make_dynamics_anew(
            self._dynamics, self.atoms, self._settings, self._random
        )
        frame = self._frame(self.step)
        self._before = {check.stride: Kept.of(frame) for check in self.checks}
        for check in self.checks:
            check.refined(frame)

    # --- inside -----------------------------------------------------------------------

    def _stand_at_start(self, first: Prediction) -> None:
        self._first = first
        self._calculator.know(self.atoms, first)
        self._dynamics = make_dynamics(self.atoms, self._settings, self._random)
        frame = self._frame(0)
        self._before = {check.stride: Kept.of(frame) for check in self.checks}
        with np.errstate(all="ignore"):
            for check in self.checks:
                check.begin(frame)

    def _opened(self, sizes: list[int] | None) -> SimulationFiles:
        return SimulationFiles(
            self._folder,
            self._model,
            self._settings,
            sizes=sizes,
            failed=self.failure is not None,
        )

    def _time(self, step: int) -> float:
        return step * self._settings.timestep

    def _answer(self) -> Prediction:
        results = self._calculator.results
        return Prediction(results["energy"], results["forces"], stress=results.get("stress"))

    def _frame(self, step: int) -> Frame:
        results = self._calculator.results
        return Frame(step, self._time(step), self.atoms, results["energy"], results["forces"])

    def _passes(self, frame: Frame) -> bool:
        """Ask the checks that are due; whether the simulation goes on."""
        due = [check for check in self.checks if frame.step % check.stride == 0]
        stopping: list[tuple[str, int, Finding]] = []
        for check in due:
            finding = _looked(check, frame)
            if finding is None:
                continue
            if check.stops:
                stopping.append((check.name, check.stride, finding))
            elif check.name not in self._noted(frame.step):
                self.alarms.append(_event(check.name, frame, finding, []))
            if isinstance(check, NotANumber):  # the others cannot compute with it
                break
        if stopping:
            self._fail(frame, stopping)
            return False
        kept = Kept.of(frame)
        self._before |= {check.stride: kept for check in due}
        return True

    def _noted(self, step: int) -> set[str]:
        """Alarms since the last declared time; the first of each is noted."""
        since = self._settings.declared_before(step)
        return {alarm.check for alarm in self.alarms if alarm.step > since or since == 0}

    def _fail(self, frame: Frame, findings: list[tuple[str, int, Finding]]) -> None:
        assert self._files is not None
        (name, stride, finding), *others = findings
        self.failure = _event(name, frame, finding, [other[0] for other in others])
        self._files.fail(self._before[stride].again(), frame, self._segment)


def _looked(check: Check, frame: Frame) -> Finding | None:
    try:
        with np.errstate(all="ignore"):
            return check.look(frame)
    except FarfieldError as error:
        return Finding(f"it cannot be judged any more: {error}")


def _event(name: str, frame: Frame, finding: Finding, also: list[str]) -> Event:
    return Event(
        name,
        frame.step,
        frame.time,
        finding.message,
        list(finding.atoms),
        finding.value,
        finding.limit,
        also,
    )


def _arrays(name: str, prediction: Prediction) -> Arrays:
    found = {f"{name}_energy": np.array(prediction.energy), f"{name}_forces": prediction.forces}
    if prediction.stress is not None:
        found[f"{name}_stress"] = prediction.stress
    return found


def _prediction(name: str, arrays: Arrays) -> Prediction:
    return Prediction(
        float(arrays[f"{name}_energy"]),
        arrays[f"{name}_forces"],
        stress=arrays.get(f"{name}_stress"),
    )
