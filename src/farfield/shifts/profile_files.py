"""The file of a profile: one compressed archive of what it remembers, and its header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from farfield.errors import ProfileError
from farfield.files import atomic
from farfield.shifts.calibration import ErrorCalibration
from farfield.shifts.profile import VERSION, Axes, Profile
from farfield.shifts.remembered.coreset import Coreset
from farfield.shifts.remembered.memory import HELD_OUT, TRAINING
from farfield.shifts.remembered.packing import below, pack, unpack

CALIBRATION = "error_calibration/"  # the beginning of its names in the file
TRAIN, HELD, CORESET = "train/", "held_out/", "coreset/"  # likewise


def save(profile: Profile, path: Path) -> None:
    """Write a profile to one compressed file of arrays, atomically."""
    arrays: dict[str, Any] = {"header": np.array(json.dumps(profile.header, ensure_ascii=False))}
    arrays |= {f"{TRAIN}{key}": value for key, value in pack(profile.train).items()}
    if profile.held_out is not None:
        arrays |= {f"{HELD}{key}": value for key, value in pack(profile.held_out).items()}
    if profile.error_calibration is not None:
        kept = profile.error_calibration.arrays()
        arrays |= {f"{CALIBRATION}{key}": value for key, value in kept.items()}
    if profile.coreset is not None:
        arrays |= {f"{CORESET}{key}": value for key, value in profile.coreset.arrays().items()}
    with atomic(path) as partial, partial.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **arrays)


def load(path: Path) -> Profile:
    """Read a profile.

    Raises
    ------
    ProfileError
        The file is missing, damaged, not a profile, or of another version.
    """
    if not path.exists():
        raise ProfileError(f"{path}: no such file: make a profile with  farfield profile")
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as content:
            arrays = {key: content[key] for key in content.files}
        header = json.loads(str(arrays.pop("header")))
        found = header["version"]
    except Exception as error:
        raise ProfileError(f"{path}: not a readable farfield profile: make it again") from error
    if found != VERSION:
        raise ProfileError(
            f"{path}: a profile of version {found}, this farfield reads version "
            f"{VERSION}: make it again with  farfield profile"
        )
    try:
        train = unpack(below(TRAIN, arrays), TRAINING)
        held_out = below(HELD, arrays)
        judged = unpack(held_out, HELD_OUT) if held_out else None
        calibration = below(CALIBRATION, arrays)
        return Profile(
            Axes(train, judged, header["seed"]),
            header,
            ErrorCalibration.from_arrays(calibration) if calibration else None,
            train.references.summaries(),
            train,
            judged,
            Coreset.from_arrays(below(CORESET, arrays), header["coreset"])
            if "coreset" in header
            else None,
        )
    except KeyError as error:
        raise ProfileError(f"{path}: the profile lacks {error}: make it again") from error
