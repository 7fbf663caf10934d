"""The study of radius refinement in one table: means over seeds, and what is missing is told."""

from __future__ import annotations

from typing import Any

from farfield.benchmarks.radius.overview import BY_COMPOSITION, COLUMNS, overview


def entry(change: float, share: float | None, gated: float) -> dict[str, Any]:
    one = {"change_percent": {"value": change}, "share_of_oracle": share and {"value": share}}
    ways = {name: {"structure": one} for name in ("oracle", *COLUMNS)}
    return {"taper": ways, "gated": {BY_COMPOSITION: {"change_percent": {"value": gated}}}}


def test_a_cell_is_the_mean_of_its_kind_of_model() -> None:
    models = {
        "joint-seed0": {"new_molecules": entry(-10.0, 0.4, -5.0)},
        "joint-seed1": {"new_molecules": entry(-14.0, 0.8, -7.0)},
        "retrofit-seed0": {"new_molecules": entry(2.0, None, 0.0)},
        "retrofit-seed1": {"new_molecules": entry(4.0, 0.5, 1.0)},
    }
    lines = overview({"toy": models})
    assert lines[0].startswith("| set, joint / retrofit | oracle | corrected | paper |")
    cells = lines[2].strip("| ").split(" | ")
    assert cells[0] == "toy: new molecules"
    assert set(cells[1:-2]) == {"-12 / +3.0"}
    assert cells[-2:] == ["0.60 / 0.50 (1 of 2 seeds)", "-6.0 / +0.5"]
    bare = overview({"toy": {"joint-seed0": {"control": entry(0.0, None, 0.0)}}})
    assert bare[2].endswith("| - | +0.0 |")
