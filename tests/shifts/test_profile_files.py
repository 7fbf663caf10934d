"""Files that are no profile, or no longer one, are refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from farfield.errors import ProfileError
from farfield.shifts.profile import VERSION
from farfield.shifts.profile_files import load, save
from tests.shifts.made import fitted


def refusal(path: Path) -> str:
    with pytest.raises(ProfileError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_files_that_are_no_profile(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "absent")
    contents = {
        "empty": b"",
        "text": b"energy 1.0\n",
        "pickle": b"\x80\x04N.",
        "zip": b"PK\x03\x04",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        assert "not a readable farfield profile" in refusal(tmp_path / name)
    np.save(tmp_path / "array.npy", np.ones(3))
    np.savez(tmp_path / "arrays.npz", other=np.ones(3))
    np.savez(tmp_path / "list.npz", header=np.array(json.dumps([1, 2])))
    np.savez(tmp_path / "objects.npz", header=np.array([{"version": VERSION}], dtype=object))
    for name in ("array.npy", "arrays.npz", "list.npz", "objects.npz", "."):
        assert "not a readable farfield profile" in refusal(tmp_path / name)


def test_damaged_files_and_other_versions(tmp_path: Path) -> None:
    path = tmp_path / "profile"
    save(fitted(12), path)
    whole = path.read_bytes()
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "short": whole[:-1],
        "flipped": whole[:4000] + bytes(byte ^ 255 for byte in whole[4000:4100]) + whole[4100:],
    }.items():
        (tmp_path / name).write_bytes(content)
        assert "not a readable farfield profile" in refusal(tmp_path / name)
    with np.load(path) as content:
        arrays = dict(content)
    for version, words in ((VERSION + 1, f"version {VERSION + 1}"), (None, "version None")):
        header = {**json.loads(str(arrays["header"])), "version": version}
        np.savez(tmp_path / "other.npz", **{**arrays, "header": np.array(json.dumps(header))})
        assert f"a profile of {words}, this farfield reads" in refusal(tmp_path / "other.npz")
    for key in ("train/totals/count", "train/structures/means", "train/plain"):
        fewer = {name: value for name, value in arrays.items() if name != key}
        np.savez(tmp_path / "fewer.npz", **fewer)
        assert f"the profile lacks '{key.rsplit('/', 1)[-1]}'" in refusal(tmp_path / "fewer.npz")
