"""Get the files of a data set: from the folder where they are kept, else from their address.

A file is used only when it is the right one. Where its checksum is published, it must have it.
Where none is, the first download is trusted: its SHA-256 is written beside it, and the file is
refused when it changes. Either is looked at once, and again when size or time of the file change.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from farfield.datasets.contract import Dataset, File
from farfield.datasets.progress import DownloadBar
from farfield.errors import DatasetError, DependencyError
from farfield.files import default_cache_dir, write_json

DAMAGED = (zlib.error, lzma.LZMAError, EOFError, OSError)  # what decompression raises
FOLDER_VARIABLE = "FARFIELD_DATASETS"


def datasets_folder() -> Path:
    """Where the files are kept: ``$FARFIELD_DATASETS``, else ``datasets`` in farfield's cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else default_cache_dir() / "datasets"


def place_of(dataset: Dataset, file: File) -> Path:
    """Where a file of a data set is kept."""
    return datasets_folder() / dataset.name / file.name


def fetch(dataset: Dataset, file: File) -> Path:
    """Return the file, verified; or, of an archive, the folder into which it was unpacked.

    Raises
    ------
    DatasetError
        It is not there and cannot be fetched, or it is not the right file.
    """
    path = place_of(dataset, file)
    if path.is_dir():  # a folder put there by hand: nothing to compare with a checksum
        return path
    folder = path.with_name(f"{path.name}.unpacked")
    if file.unpack and folder.is_dir():  # the archive may be gone
        return folder
    if not path.exists():
        _download(dataset, file, path)
    verify(file, path)
    return _unpack(path, folder) if file.unpack else path


def checksum_state(file: File) -> str:
    """How a file is verified, in words."""
    if file.checksum:
        return f"{file.checksum.partition(':')[0]}, published"
    return "none published; the first download is trusted and recorded"


def verify(file: File, path: Path) -> None:
    """Raise unless ``path`` is the published file, or still what it was at first use."""
    record = path.with_name(f"{path.name}.checksum.json")
    state = path.stat()
    stamp = {"bytes": state.st_size, "mtime_ns": state.st_mtime_ns, "published": file.checksum}
    known = _record(record)
    if known is not None and {key: known.get(key) for key in stamp} == stamp:
        return
    recorded = "" if known is None else known.get("sha256", "")
    kind, _, expected = (file.checksum or f"sha256:{recorded}").partition(":")
    with path.open("rb") as handle:
        found = hashlib.file_digest(handle, kind).hexdigest()
    if expected and found != expected:
        source = "published" if file.checksum else "recorded when it was first used"
        raise DatasetError(
            f"{path}: its {kind} is {found}, and {expected} was {source}: delete it and fetch it "
            f"again{'' if file.checksum else f', or delete {record.name} to trust it anew'}"
        )
    write_json(record, {**stamp, kind: found})


def _record(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DatasetError(f"{path}: it is damaged: delete it") from error
    return content if isinstance(content, dict) else None


def _by_hand(dataset: Dataset, file: File, path: Path) -> str:
    return (
        f"fetch {file.url or dataset.page} by hand and save it as {path}, or let the environment "
        f"variable {FOLDER_VARIABLE} name the folder that holds {dataset.name}/{file.name}"
    )


def _download(dataset: Dataset, file: File, path: Path) -> None:
    if not file.url:
        raise DatasetError(
            f"{dataset.name}: {file.name} cannot be fetched by a program: "
            f"{_by_hand(dataset, file, path)}"
        )
    try:
        import pooch
        import requests
    except ImportError as error:
        raise DependencyError("pooch", "data", f"downloading {file.url}") from error
    pooch.get_logger().setLevel("WARNING")
    path.parent.mkdir(parents=True, exist_ok=True)
    bar = DownloadBar(path.name)
    try:
        pooch.retrieve(
            file.url,
            known_hash=file.checksum or None,
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(progressbar=bar),
        )
    except ValueError as error:  # pooch's word for a wrong checksum; it keeps nothing
        raise DatasetError(
            f"{file.url}: what was downloaded does not have the published checksum "
            f"{file.checksum}, and was deleted: try again, or {_by_hand(dataset, file, path)}"
        ) from error
    except (requests.RequestException, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DatasetError(
            f"{dataset.name} cannot be downloaded: {_by_hand(dataset, file, path)} "
            f"({type(error).__name__}: {reason})"
        ) from error
    finally:
        bar.close()


def _unpack(path: Path, folder: Path) -> Path:
    """Unpack an archive; the folder is whole, or not there."""
    partial = Path(tempfile.mkdtemp(dir=path.parent, prefix=".unpacking-"))
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(partial)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(partial, filter="data")
        partial.rename(folder)
    except (tarfile.TarError, zipfile.BadZipFile, *DAMAGED) as error:
        raise DatasetError(f"{path}: it is no whole archive ({error}): fetch it again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder
