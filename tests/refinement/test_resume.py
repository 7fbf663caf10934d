"""An interrupted adaptation goes on bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ase import Atoms

from farfield.errors import ModelError
from farfield.potentials.mace import MacePotential
from farfield.refinement import (
    Distillation,
    DistillationSettings,
    Refinement,
    TestTimeSettings,
    TestTimeTraining,
)
from farfield.refinement.adaptation.checkpoint import AdaptationCheckpoint
from farfield.refinement.adaptation.judgement import Judgement
from farfield.verbs.refine import refine

from .conftest import PRIOR
from .test_distillation import Teacher

STEPS = {"steps": 6, "judge_every": 2, "batch_size": 2, "learning_rate": 0.02, "force": True}


class Killed(Exception):
    """Stands for a signal."""


def kill(step: int) -> Any:
    def report(judgement: Judgement) -> None:
        if judgement.step == step:
            raise Killed

    return report


def weights(refinement: Refinement, model: MacePotential, structures: list[Atoms]) -> list[bytes]:
    refined = refinement.refine(model, structures)
    assert isinstance(refined.potential, MacePotential)
    found = [value.numpy().tobytes() for value in refined.potential.state().values()]
    steps = [str(refined.record.curves[0].steps).encode()]
    return found + steps + [str(refined.record.figures).encode()]


@pytest.mark.parametrize(
    "options",
    [
        {"objectives": ("prior", "consistency")},
        {"parameters": "lora", "force": False, "interpolate": True, "forgetting": 1e6},
    ],
)
def test_test_time_training_resumes(
    options: dict[str, Any],
    tiny: MacePotential,
    few: list[Atoms],
    replayed: list[Atoms],
    tmp_path: Path,
) -> None:
    file = tmp_path / "ttt.checkpoint"
    settings = TestTimeSettings(**{**STEPS, **options})

    def training(checkpoint: Path | None, **more: Any) -> TestTimeTraining:
        return TestTimeTraining(PRIOR, replayed, None, settings, checkpoint=checkpoint, **more)

    whole = weights(training(None), tiny, few)
    with pytest.raises(Killed):
        weights(training(file, report=kill(4)), tiny, few)
    assert file.exists()
    with pytest.raises(ModelError, match="another model, or with other structures"):
        weights(training(file), tiny, few[1:])
    seen: list[int] = []
    resumed = training(file, report=lambda judgement: seen.append(judgement.step))
    assert weights(resumed, tiny, few) == whole
    assert seen == [6], "it started anew"
    assert not file.exists()


def test_distillation_resumes_in_its_second_round(
    tiny: MacePotential, few: list[Atoms], replayed: list[Atoms], tmp_path: Path
) -> None:
    file = tmp_path / "distil.checkpoint"
    settings = DistillationSettings(
        **{**STEPS, "force": False, "forgetting": 1e6, "learning_rate": 0.05},  # type: ignore[arg-type]
        structures="given",
        rounds=2,
        replay_batch_size=2,
    )

    def distillation(checkpoint: Path | None, **more: Any) -> Distillation:
        return Distillation(Teacher(), replayed, (), settings, checkpoint=checkpoint, **more)

    whole = weights(distillation(None), tiny, few)
    with pytest.raises(Killed):
        weights(distillation(file, report=kill(10)), tiny, few)
    assert len(list(tmp_path.iterdir())) == 2
    seen: list[int] = []
    resumed = distillation(file, report=lambda judgement: seen.append(judgement.step))
    assert weights(resumed, tiny, few) == whole
    assert seen == [12]
    assert not list(tmp_path.iterdir())


def test_the_verb_keeps_the_checkpoint_beside_its_results(
    tiny: MacePotential, few: list[Atoms], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    save = AdaptationCheckpoint.save

    def spy(self: AdaptationCheckpoint, content: dict[str, Any]) -> None:
        save(self, content)
        seen.append((tmp_path / "out" / "ttt.checkpoint").exists())

    monkeypatch.setattr(AdaptationCheckpoint, "save", spy)
    refine(
        few,
        model=tiny,
        method="ttt",
        prior=PRIOR,
        cache=tmp_path / "cache",
        output=tmp_path / "out",
        objectives="prior,anchor",
        steps=2,
        force=True,
    )
    assert seen == [True]
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"model", "record.json"}
    assert not (tmp_path / "out" / "ttt.checkpoint").exists()


def test_a_damaged_checkpoint_is_told(
    tiny: MacePotential, few: list[Atoms], tmp_path: Path
) -> None:
    file = tmp_path / "ttt.checkpoint"
    file.write_bytes(b"half a file")
    training = TestTimeTraining(PRIOR, settings=TestTimeSettings(**STEPS), checkpoint=file)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="not a readable checkpoint"):
        training.refine(tiny, few)
