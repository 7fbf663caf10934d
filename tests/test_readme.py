"""Every command and every line of Python in the README runs, and its tables are the results."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert found, f"the README has no {language} block"
    return "\n".join(found)


@pytest.mark.slow
def test_the_blocks_run_in_order(tmp_path: Path) -> None:
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
    pytest.importorskip("tblite", reason="tblite is not installed: pip install 'farfield[xtb]'")
    (tmp_path / "src").symlink_to(ROOT / "src")
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": search, "OMP_NUM_THREADS": "1"}
    for command in (
        ["bash", "-euc", blocks("bash")],
        [sys.executable, "-c", blocks("python")],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
    for name in ("profile.npz", "diagnosis/report.html", "refined/model", "refined.model"):
        assert (tmp_path / name).exists(), name


@pytest.mark.parametrize("number", [0, 1])
def test_the_tables_are_those_of_the_benchmark(number: int) -> None:
    tables = (ROOT / "benchmarks/embedded/results.md").read_text(encoding="utf-8").split("\n\n")
    assert tables[number].strip() in README


def test_every_verb_option_and_file_that_is_named_exists() -> None:
    from farfield.cli.main import app

    known = {command.name for command in (*app.registered_commands, *app.registered_groups)}
    assert set(re.findall(r"^farfield (\w+)", README, flags=re.MULTILINE)) <= known
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.parametrize("number", [0, 1])
def test_the_tables_are_those_of_the_diagnosis(number: int) -> None:
    tables = (ROOT / "benchmarks/diagnosis/results.md").read_text(encoding="utf-8").split("\n\n")
    assert tables[number].strip() in README


def test_what_matters_in_test_time_training_is_what_its_study_found() -> None:
    page = (ROOT / "docs/test-time-training.md").read_text(encoding="utf-8")
    found = (ROOT / "benchmarks/training/variants.md").read_text(encoding="utf-8")
    assert found.strip() in page


@pytest.mark.parametrize("task", ["embedded", "md17"])
def test_the_tables_are_those_of_the_study(task: str) -> None:
    results = (ROOT / f"benchmarks/correction/{task}.md").read_text(encoding="utf-8")
    assert results.split("\n\n")[0].strip() in README
