"""The type and the device in which a simulation computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.build import molecule

import farfield
from farfield import load_model, read, simulate
from farfield.errors import ConfigError
from tests.simulation import made
from tests.simulation.made import START, Planted

GIVEN = {"duration": 0.002, "stride": 1, "progress": False}


@pytest.fixture
def needs_mace():
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")


@pytest.mark.parametrize(
    ("model", "given", "words"),
    [
        ("embedded", {"device": "gpu"}, "unknown device 'gpu'"),
        ("embedded", {"dtype": "float46"}, "did you mean 'float64'"),
        ("embedded", {"dtype": "float16"}, "unknown dtype"),
        (Planted(), {"dtype": "float64"}, "given as an object, which has its type and device"),
        (f"{made.__file__}:Springs", {"dtype": "float64"}, "cannot be brought to float64 cpu"),
    ],
)
def test_what_cannot_be_is_an_error(tmp_path, model, given, words):
    with pytest.raises(ConfigError, match=words):
        simulate(START, model=model, output=tmp_path / "run", **GIVEN, **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_cuda_device_it_is_said(tmp_path):
    with pytest.raises(ConfigError, match="there is no CUDA device here"):
        simulate(START, model="embedded", device="cuda", output=tmp_path / "run", **GIVEN)


def require_double(folder, spec="embedded"):
    """The frames are those of the model in double precision, and not in single."""
    frame = read(folder / "simulation_0000/trajectory.extxyz")[0]  # printed to eight decimals
    for dtype, fits in ((torch.float64, True), (torch.float32, False)):
        [found] = load_model(str(spec), dtype=dtype).predict([frame])
        same = np.allclose(found.forces, frame.arrays["farfield_forces"], rtol=0, atol=2e-8)
        assert same == fits


@pytest.mark.slow
def test_double_precision_reaches_the_forces(tmp_path, needs_mace):
    given = {**GIVEN, "dtype": "float64", "batch": 1, "replicas": 2}
    start = molecule("CH3OH")
    simulate(start, model="embedded", output=tmp_path / "one", **given)
    simulate(start, model="embedded", output=tmp_path / "two", workers=2, **given)
    require_double(tmp_path / "one")
    name = "simulation_0001/trajectory.extxyz"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    with pytest.raises(ConfigError, match="another run"):
        simulate(start, model="embedded", output=tmp_path / "one", **{**given, "dtype": None})


@pytest.mark.slow
def test_what_refines_and_what_watches_has_the_models_own_type(tmp_path, needs_mace):
    like = [molecule("CH3OH") for _ in range(12)]
    for seed, atoms in enumerate(like):
        atoms.rattle(0.05, seed=seed)
    profile = farfield.profile(like, model="embedded")
    given = {**GIVEN, "dtype": "float64", "profile": profile}
    options = {"objectives": "denoise", "steps": 1, "force": True}
    folder = tmp_path / "run"
    simulate(
        *(molecule("CH3OH"),),
        **{**given, "model": "embedded", "refine": "ttt", "refine_options": options},
        output=folder,
    )
    require_double(folder, folder / "refinement/model")
    assert load_model(str(folder / "refinement/model")).dtype == load_model("embedded").dtype
