"""What moves is what was declared; what comes out is an ordinary model with its own heads."""

from __future__ import annotations

import pytest
import torch
from ase import Atoms

from farfield.errors import CapabilityError, ConfigError
from farfield.potentials.mace import MacePotential
from farfield.refinement import Refined, TestTimeSettings, TestTimeTraining
from farfield.refinement.adaptation.moving import LowRank, moving_of
from farfield.verbs.methods import Given, method_of

from .conftest import PRIOR

SETTINGS = {"steps": 4, "judge_every": 2, "batch_size": 2, "learning_rate": 0.02, "force": True}


def adapted(
    model: MacePotential, structures: list[Atoms], replay: list[Atoms], **options: object
) -> tuple[Refined, set[str]]:
    """The refined model, and the names of the weights that are others than before."""
    settings = TestTimeSettings(**{**SETTINGS, **options})  # type: ignore[arg-type]
    prior = PRIOR if "prior" in settings.objectives else None
    refined = TestTimeTraining(prior, replay=replay, settings=settings).refine(model, structures)
    assert isinstance(refined.potential, MacePotential)
    assert refined.potential.heads == model.heads
    before, after = model.state(), refined.potential.state()
    assert before.keys() == after.keys()
    for name, value in model.head_parameters().items():
        assert torch.equal(value, refined.potential.head_parameters()[name]), name
    changed = {
        key for key in before if not torch.equal(before[key].nan_to_num(), after[key].nan_to_num())
    }
    assert changed <= set(model.representation_parameters())
    return refined, changed


def test_all_or_the_early_part(
    tiny: MacePotential, few: list[Atoms], replayed: list[Atoms]
) -> None:
    early = set(tiny.early_parameters())
    _, everything = adapted(tiny, few, replayed)
    _, first = adapted(tiny, few, replayed, parameters="early")
    assert first and first <= early
    assert everything - early


def test_a_low_rank_update_leaves_an_ordinary_model(
    tiny: MacePotential, few: list[Atoms], replayed: list[Atoms]
) -> None:
    refined, changed = adapted(tiny, few, replayed, parameters="lora", rank=1)
    assert isinstance(refined.potential, MacePotential)
    now = refined.potential.representation_parameters()
    assert changed
    for name, value in tiny.representation_parameters().items():
        if value.dim() < 2:
            assert name not in changed, "a vector moved"
        elif name in changed:
            ranks = torch.linalg.matrix_rank((now[name] - value).detach(), rtol=1e-6)
            assert int(ranks.max()) <= 1, name


def test_gradients_of_a_low_rank_update_are_those_of_the_product() -> None:
    weight = torch.nn.Parameter(torch.randn(3, 5, 4, dtype=torch.float64))
    moving = LowRank([weight], rank=2, seed=0)
    start = weight.detach().clone()
    moving.apply()
    assert torch.equal(weight, start)
    b, a = moving.parameters
    assert b.shape == (3, 5, 2) and a.shape == (3, 2, 4)
    with torch.no_grad():
        b.normal_()
    moving.apply()
    goal = torch.randn(3, 5, 4, dtype=torch.float64)
    (of_weight,) = torch.autograd.grad((weight**2 * goal).sum(), [weight])
    wanted = torch.autograd.grad(((start + b @ a) ** 2 * goal).sum(), [b, a])
    for found, expected in zip(moving.gradients([of_weight]), wanted, strict=True):
        torch.testing.assert_close(found, expected)


def test_vectors_alone_have_no_low_rank_update(
    tiny: MacePotential, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = {"bias": torch.nn.Parameter(torch.zeros(3))}
    monkeypatch.setattr(tiny, "representation_parameters", lambda: vectors)
    with pytest.raises(CapabilityError, match="choose the parameters all or early"):
        moving_of(tiny, TestTimeSettings(parameters="lora"))


@pytest.mark.parametrize("objectives", [("denoise", "anchor"), ("consistency",)])
def test_self_supervised_objectives_need_no_prior_and_see_no_label(
    objectives: tuple[str, ...], tiny: MacePotential, few: list[Atoms], replayed: list[Atoms]
) -> None:
    labelled = [atoms.copy() for atoms in few]
    for atoms in labelled:
        atoms.info["REF_energy"] = float("nan")
        atoms.arrays["REF_forces"] = atoms.positions * float("nan")
    first, changed = adapted(tiny, few, replayed, objectives=objectives)
    second, _ = adapted(tiny, labelled, replayed, objectives=objectives)
    assert isinstance(first.potential, MacePotential)
    assert isinstance(second.potential, MacePotential)
    assert changed
    again = second.potential.representation_parameters()
    for name, value in first.potential.representation_parameters().items():
        assert torch.equal(value, again[name]), name
    assert "judged by the objective" in first.record.reasons[-1]
    assert first.record.settings["prior"] is None


@pytest.mark.parametrize("objectives", [("denoise",), ("consistency", "anchor")])
def test_without_a_prior_nothing_moves_unless_it_is_forced(
    objectives: tuple[str, ...], tiny: MacePotential, few: list[Atoms], replayed: list[Atoms]
) -> None:
    refined, changed = adapted(tiny, few, replayed, objectives=objectives, force=False)
    assert refined.potential is tiny
    assert not changed
    assert not refined.record.acted
    assert "nothing tells whether the forces become better" in refined.record.reasons[0]


def test_settings_that_need_the_training_domain_say_so(
    tiny: MacePotential, few: list[Atoms]
) -> None:
    for option in ({"forgetting_limit": 0.1}, {"project": True}):
        with pytest.raises(ConfigError, match="to replay"):
            adapted(tiny, few, [], **option)
    with pytest.raises(ConfigError, match="needs a prior"):
        TestTimeTraining(None)


def given(prior: object = None, **options: object) -> Given:
    from pathlib import Path

    return Given(
        profile=None,
        prior=prior,  # type: ignore[arg-type]
        replay=None,
        like_training=None,
        delta=None,
        prior_spec=None,
        seed=0,
        workers=1,
        cache=Path(),
        options=dict(options),
    )


def test_objectives_are_named_on_the_command_line() -> None:
    cache = None
    method_of("ttt", given(objectives="denoise, anchor"), cache)  # type: ignore[arg-type]
    method_of("ttt", given(PRIOR, objectives=("prior", "anchor")), cache)  # type: ignore[arg-type]
    cases = {
        "--prior, such as gfn2": given(objectives="prior"),
        "did you mean 'denoise'": given(objectives="denoize"),
        "--prior has no use": given(PRIOR, objectives="denoise"),
    }
    for told, options in cases.items():
        with pytest.raises(ConfigError, match=told):
            method_of("ttt", options, cache)  # type: ignore[arg-type]
