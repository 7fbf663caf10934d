"""The page on priors: its example keeps the contract, trains and corrects; a bug in it shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ase.build import molecule

from farfield.priors import label, load_prior
from farfield.structures import Labels

PAGE = (Path(__file__).parents[2] / "docs" / "priors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page's prior in a file of its own, outside the package."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "farfield_springs.py"
    path.write_text(BLOCKS[0])
    return path


def test_the_example_keeps_the_contract_and_labels(file: Path) -> None:
    code, check = BLOCKS
    assert len(code.splitlines()) + len(check.splitlines()) < 200
    exec(check, {})
    outcome = label([molecule("CH3OH")], load_prior(f"{file}:Springs"), progress=False)[0]
    assert isinstance(outcome, Labels)
    assert outcome.level_of_theory.startswith("springs of 20 eV/Å²")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("np.add.at(forces, first, (slope", "np.add.at(forces, second, (slope"),
        ("STIFFNESS * (r - length) * fade + spring * slope_of_fade", "STIFFNESS * (r - length)"),
        ("periodic = True", "periodic = True\n    level_of_theory = ''"),
    ],
)
def test_a_bug_in_the_example_turns_the_contract_red(file: Path, right: str, wrong: str) -> None:
    code, check = BLOCKS
    assert right in code
    file.write_text(code.replace(right, wrong))
    with pytest.raises(AssertionError):
        exec(check, {})
