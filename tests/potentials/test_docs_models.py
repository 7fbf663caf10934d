"""The page on models: its table is what the models declare, and its example runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.lj import LennardJones

from farfield import train
from farfield.errors import ConfigError, ModelError
from farfield.potentials import Capability, TrainablePotential
from farfield.potentials.adapters import ARCHITECTURES, architectures
from farfield.potentials.create import create
from farfield.potentials.loading import load_potential
from farfield.structures import Labels, attach
from farfield.training import TrainingSettings

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def row(name: str, potential: TrainablePotential) -> str:
    crystal = bulk("C", "diamond", a=3.6)
    cells = [
        f"`{name}`",
        "gradient of the energy" if potential.conservative else "direct",
        "no" if potential.predict([crystal])[0].stress is None else "yes",
        ", ".join(sorted(potential.cutoff_modes)),
        "yes" if Capability.EXPORT in potential.capabilities else "no",
    ]
    assert {Capability.TRAINING, Capability.HEADS, Capability.FEATURES} <= potential.capabilities
    return f"| {' | '.join(cells)} |"


@pytest.mark.parametrize("architecture", [*ARCHITECTURES, "chgnet"])
def test_the_table_is_what_the_models_declare(architecture: str) -> None:
    if architecture == "mace":
        pytest.importorskip("mace", reason="not installed: pip install 'farfield[mace]'")
    elif architecture == "chgnet":
        pytest.importorskip("chgnet", reason="not installed: pip install 'farfield[chgnet]'")
    elif not architecture.startswith("gemnet"):
        pytest.importorskip("graph_pes", reason="not installed: pip install 'farfield[graphpes]'")
    if architecture == "chgnet":
        potential, _ = load_potential("chgnet")
    else:
        potential = create(
            architecture,
            {},
            structures=[bulk("C", "diamond", a=3.6)],
            heads={"reference": {6: -1029.5}},
            scales={"reference": 1.0},
            seed=0,
        )
    assert isinstance(potential, TrainablePotential)
    assert row(architecture, potential) in PAGE.splitlines()


def test_the_table_has_no_other_rows() -> None:
    table = PAGE.split("<!-- capabilities")[1].split("\n\n")[0]
    names = re.findall(r"^\| `([^`]*)`", table, flags=re.MULTILINE)
    assert names == [*ARCHITECTURES, "chgnet"]


def labelled() -> list[Atoms]:
    structures = [molecule(name) for name in ("H2O", "NH3", "CH3OH")] + [Atoms(s) for s in "HCNO"]
    for index, atoms in enumerate(structures):
        atoms.rattle(0.05, seed=index)
        atoms.calc = LennardJones(sigma=1.2)
        labels = Labels(atoms.get_potential_energy(), atoms.get_forces(), None, "LJ")
        atoms.calc = None
        attach(atoms, labels)
    return structures


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's package as if pip had installed it."""
    code, _ = BLOCKS
    (tmp_path / "farfield_toy.py").write_text(code)
    metadata = tmp_path / "farfield_toy-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: farfield-toy\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[farfield.potentials]\ntoy = farfield_toy\n")
    assert '"farfield.potentials"]\ntoy = "farfield_toy"' in PAGE
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "farfield_toy.py"
    sys.modules.pop("farfield_toy", None)


def test_the_example_of_another_package_keeps_the_contract_and_trains(
    package: Path, tmp_path: Path
) -> None:
    code, check = BLOCKS
    assert len(code.splitlines()) + len(check.splitlines()) < 200
    exec(check, {})
    assert architectures() == (*ARCHITECTURES, "toy")
    settings = TrainingSettings(epochs=2, architecture={"width": 4})
    path = tmp_path / "toy.pt"
    trained = train(
        labelled(), strategy="supervised", architecture="toy", settings=settings, output=path
    )
    loaded, _ = load_potential(str(path))
    assert loaded.name == trained.name == "Toy (1k parameters)"
    wrong = settings.model_copy(update={"architecture": {"widht": 4}})
    with pytest.raises(ConfigError, match="did you mean 'width'"):
        train(labelled(), strategy="supervised", architecture="toy", settings=wrong)


def test_a_bug_in_the_example_turns_the_contract_red(package: Path) -> None:
    code, check = BLOCKS
    flat = "(batch.positions[neighbours] - batch.positions[centres])"  # no periodic images
    package.write_text(code.replace("batch.vectors()", flat))
    with pytest.raises(AssertionError):
        exec(check, {})


def test_a_file_of_a_package_that_is_gone_is_told(package: Path, tmp_path: Path) -> None:
    potential = create(
        "toy",
        {},
        structures=[],
        heads={"reference": {6: -1029.5}},
        scales={"reference": 1.0},
        seed=0,
    )
    potential.save(tmp_path / "toy.pt")
    (tmp_path / "farfield_toy-1.0.dist-info" / "entry_points.txt").write_text("")
    with pytest.raises(ModelError, match="'toy': install the package"):
        load_potential(str(tmp_path / "toy.pt"))
