"""A damaged file is an error, never a shorter or different set of structures."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write as ase_write

from farfield.errors import StructureError
from farfield.structures import read, write

COMPRESS = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def refuse(path: Path, content: str | bytes, match: str) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(StructureError, match=match):
        read(path)


def test_every_cut_in_the_last_200_bytes_is_seen(tmp_path: Path, labelled: list[Atoms]) -> None:
    whole, cut = tmp_path / "whole.extxyz", tmp_path / "cut.extxyz"
    write(whole, [*labelled, labelled[0]])
    content = whole.read_bytes()
    last_frame = content.rindex(b"\n9\n") + 1  # before it, all frames are whole
    assert len(content) - last_frame > 200
    for removed in range(1, 201):
        cut.write_bytes(content[:-removed])
        with pytest.raises(StructureError, match=r"truncated|cannot read"):
            read(cut)


@pytest.mark.parametrize("ending", COMPRESS)
def test_cuts_of_a_compressed_file_are_seen(
    tmp_path: Path, labelled: list[Atoms], ending: str
) -> None:
    whole, cut = tmp_path / "whole.xyz", tmp_path / f"cut.xyz{ending}"
    write(whole, labelled)
    content = COMPRESS[ending](whole.read_bytes())
    cut.write_bytes(content)
    assert len(read(cut)) == len(labelled)
    for removed in [*range(1, 50), *range(50, len(content), 20)]:
        cut.write_bytes(content[:-removed])
        with pytest.raises(StructureError, match=r"truncated|empty"):
            read(cut)


def test_a_flipped_byte_in_a_compressed_file_is_seen(tmp_path: Path, labelled: list[Atoms]) -> None:
    path = tmp_path / "set.xyz.gz"
    write(path, labelled)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    refuse(path, bytes(content), "truncated or damaged")


@pytest.mark.parametrize("content", ["", " ", "\n\n", "  \n \n"])
@pytest.mark.parametrize("name", ["empty.xyz", "empty.extxyz.gz"])
def test_empty_files(tmp_path: Path, name: str, content: str) -> None:
    raw = content.encode()
    refuse(tmp_path / name, gzip.compress(raw) if name.endswith("gz") else raw, "is empty")


WATER = "3\nwater\nO 0.0 0.0 0.1\nH 0.0 0.8 -0.5\nH 0.0 -0.8 -0.5\n"


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (WATER + "\n" + WATER, "line 7: text after a blank line"),
        (WATER + "water\n" + WATER, "line 6: expected a number of atoms"),
        (WATER.replace("3\n", "-3\n"), "expected a number of atoms"),
        (WATER.replace("3\n", "4\n"), "3 of its 4 atoms"),
        (WATER.replace("3\n", "2\n"), "line 5: expected a number of atoms"),
        (WATER.replace(" 0.1\n", "\n"), "cannot read"),
        (WATER.replace("O 0.0 0.0 0.1", ""), "cannot read"),
        (WATER.replace("0.1", "0.1e"), "cannot read"),
        (WATER.replace("O ", "Qq "), "cannot read.*Qq"),
        (WATER.replace("water", 'stress="1 2 3"'), "cannot read.*stress"),
        (WATER.encode().replace(b"water", b"\xc5ngstr\xf6m"), "not UTF-8"),
        ("0\nnothing\n", "without atoms"),
    ],
)
def test_misplaced_lines(tmp_path: Path, content: str | bytes, match: str) -> None:
    refuse(tmp_path / "bad.xyz", content, match)


def test_blank_lines_at_the_end_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "water.xyz"
    for content in (WATER + "\n  \n", WATER.replace("\n", "\r\n"), "\ufeff" + WATER):
        path.write_bytes(content.encode())
        (atoms,) = read(path)
        assert atoms.get_chemical_formula() == "H2O"


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="no such file"):
        read(tmp_path / "nowhere.xyz")
    with pytest.raises(StructureError, match="is a folder"):
        read(tmp_path)


def test_a_text_that_is_no_structure(tmp_path: Path) -> None:
    refuse(tmp_path / "notes.txt", "remember the milk\n", "cannot read")


def test_other_text_formats_cut_inside_a_number(tmp_path: Path) -> None:
    path = tmp_path / "POSCAR"
    ase_write(path, bulk("Si", cubic=True), format="vasp")
    content = path.read_bytes()
    assert len(read(path)[0]) == 8
    for removed in range(2, 100):  # the first byte off is the final newline or a blank
        path.write_bytes(content[:-removed])
        with pytest.raises(StructureError, match=r"truncated|cannot read"):
            read(path)
