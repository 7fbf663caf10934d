"""Every command and every line of Python in the README runs, and its tables are the results."""

from __future__ import annotations

import importlib.util
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


def test_every_verb_option_and_file_that_is_named_exists() -> None:
    from farfield.cli.main import app

    known = {command.name for command in (*app.registered_commands, *app.registered_groups)}
    assert set(re.findall(r"^farfield (\w+)", README, flags=re.MULTILINE)) <= known
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_tables_are_those_of_the_studies() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/tables.py", "--check"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert README.count("<!-- table ") >= 6


def test_a_table_that_differs_is_found() -> None:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools/tables.py")
    assert spec is not None and spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    place = README.index("<!-- table ")
    planted = README[:place] + README[place:].replace("(", "[", 1)
    assert planted != README == tables.filled(planted) == tables.filled(README)
    with pytest.raises(SystemExit, match="9 was asked for"):
        tables.filled("<!-- table 9 of benchmarks/embedded/results.md -->\n| |\n")
    with pytest.raises(SystemExit, match="has 0 headings that begin"):
        tables.filled('<!-- table "No such" of benchmarks/embedded/results.md -->\n| |\n')
