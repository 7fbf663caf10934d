"""β is learned from models that are trained again without a part of the training set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from farfield.errors import CapabilityError, ConfigError, LabelError
from farfield.potentials.loading import load_potential
from farfield.refinement import Correction, CorrectionRule
from farfield.shifts import Score
from farfield.shifts.profile_files import load as load_profile
from farfield.training import TrainingSettings
from farfield.verbs.evidence import learned_rule
from farfield.verbs.methods import EVIDENCE
from farfield.verbs.profile import profile
from farfield.verbs.train import train as train_model
from tests.refinement.conftest import PRIOR, rattled

SETTINGS = TrainingSettings(
    epochs=2, architecture={"channels": 4, "max_ell": 1, "radial_widths": [8], "cutoff": 3.0}
)


@pytest.fixture(scope="module")
def labelled() -> list[Atoms]:
    return structures(6, seed=0)


def structures(count: int, seed: int) -> list[Atoms]:
    found = []
    for place, name in enumerate(("CH3OH", "HCOOH", "CH3CONH2", "HCN")):
        found += rattled(name, count, seed=seed + 20 * place)
    return found


@pytest.fixture(scope="module")
def model_file(labelled: list[Atoms], tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "joint.pt"
    train_model(labelled, strategy="joint", prior=PRIOR, settings=SETTINGS, output=path)
    return str(path)


def test_the_rule_is_stored_with_the_profile_and_nothing_is_trained_twice(
    labelled: list[Atoms], model_file: str, tmp_path: Path
) -> None:
    output = tmp_path / "profile.npz"
    said: list[str] = []

    def run() -> CorrectionRule:
        fitted = profile(
            labelled,
            model=model_file,
            prior=PRIOR,
            leave_out=2,
            leave_out_epochs=1,
            output=output,
            say=said.append,
        )
        return CorrectionRule.from_plain(fitted.header[EVIDENCE])

    rule = run()
    assert 0.0 <= rule.inside <= 1.0
    assert 0.0 <= rule.far <= 1.0
    assert rule.scale > 0.0
    kept = sorted((tmp_path / "profile.npz.left-out").iterdir())
    assert len(kept) == len(said) == 2
    written = [path.stat().st_mtime_ns for path in kept]
    assert run() == rule
    assert [path.stat().st_mtime_ns for path in kept] == written


def test_what_was_left_out_carries_the_error_estimate_beyond_training(
    labelled: list[Atoms], model_file: str, tmp_path: Path
) -> None:
    fitted = profile(
        labelled,
        model=model_file,
        prior=PRIOR,
        calibration=structures(8, seed=500),
        leave_out=2,
        leave_out_epochs=1,
        output=tmp_path / "profile.npz",
    )
    found = load_profile(tmp_path / "profile.npz").error_calibration
    assert found is not None
    assert fitted.header["error_estimate"] == (
        "from the prior residual, calibrated on 32 labelled held-out structures and "
        f"{found.n_structures - 32} whose compositions were left out of training"
    )
    assert found.n_structures > 40
    assert found.structures.extends
    far = Score(2 * found.structures.scores[-1], np.ones(3), "")
    expected = found.estimate(far).expected
    assert expected == pytest.approx(2 * found.structures.errors[-1])


def test_what_leaving_out_needs(labelled: list[Atoms], model_file: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--model and --prior"):
        profile(labelled, cutoff=3.0, leave_out=2, output=tmp_path / "p.npz")
    with pytest.raises(ConfigError, match="--output"):
        profile(labelled, model=model_file, prior=PRIOR, leave_out=2)
    with pytest.raises(LabelError, match="no group"):
        profile(
            labelled[:12],
            model=model_file,
            prior=PRIOR,
            leave_out=1,
            output=tmp_path / "p.npz",
        )


def test_a_model_of_unknown_training_is_refused(
    labelled: list[Atoms], two_heads: object, tmp_path: Path
) -> None:
    with pytest.raises(CapabilityError, match="does not tell how it was trained"):
        learned_rule(
            labelled,
            potential=two_heads,  # type: ignore[arg-type]
            prior=PRIOR,
            parts=2,
            epochs=1,
            folder=tmp_path,
            workers=1,
            cache=None,
            say=lambda line: None,
        )


def test_the_like_of_a_pre_trained_model_is_trained_in_two_phases(
    labelled: list[Atoms], tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"trainable": "head", "epochs": 1})
    model = train_model(labelled, strategy="freeze", prior=PRIOR, settings=settings)

    def learn() -> None:
        learned_rule(
            labelled,
            potential=model,
            prior=PRIOR,
            parts=2,
            epochs=1,
            folder=tmp_path,
            workers=1,
            cache=None,
            say=lambda line: None,
        )

    learn()
    found = [load_potential(str(path))[0].heads for path in tmp_path.glob("*.pt")]
    assert found == [("reference", PRIOR.name)] * 2
    model.metadata["pretraining"]["same_structures"] = False
    with pytest.raises(CapabilityError, match="pre-trained on structures that are not"):
        learn()


def test_a_learned_rule_is_used(labelled: list[Atoms], two_heads: object) -> None:
    rule = CorrectionRule(PRIOR.name, PRIOR.name, 0.3, 0.1, 0.7, "learned", trusted=None)
    record = Correction(PRIOR, rule).refine(two_heads, labelled[:4]).record  # type: ignore[arg-type]
    assert any("learned" in reason for reason in record.reasons)
    assert record.settings["far"] == 0.7
