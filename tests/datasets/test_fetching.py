"""Downloads are verified, archives unpacked whole, and what cannot be had says where it goes."""

from __future__ import annotations

import hashlib
import os
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from farfield.datasets import Dataset, File, Subset, Units, checksum_state, fetch
from farfield.errors import DatasetError, DependencyError

CONTENT = b"some structures"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    """A server of the folder ``served`` on this machine."""
    (tmp_path / "served").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """The folder in which data sets are kept."""
    monkeypatch.setenv("FARFIELD_DATASETS", str(tmp_path / "kept"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "kept" / "toy"


def toy(file):
    return Dataset(
        name="toy",
        title="a toy",
        level_of_theory="none",
        licence="none",
        citation="none",
        page="http://example.org/page",
        format="none",
        units=Units(),
        reader=lambda source: iter(()),
        subsets={"all": Subset(file)},
    )


def serve(tmp_path, content=CONTENT, name="a.bin"):
    (tmp_path / "served" / name).write_bytes(content)


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_download_with_its_published_checksum(kind, tmp_path, address, kept):
    serve(tmp_path)
    digest = hashlib.new(kind, CONTENT).hexdigest()
    file = File("a.bin", f"{address}/a.bin", f"{kind}:{digest}")
    assert fetch(toy(file), file).read_bytes() == CONTENT
    assert checksum_state(file) == f"{kind}, published"
    serve(tmp_path, b"other")  # it is not fetched again
    assert fetch(toy(file), file).read_bytes() == CONTENT


def test_a_download_with_another_checksum_is_refused_and_not_kept(tmp_path, address, kept):
    serve(tmp_path, b"damaged")
    file = File("a.bin", f"{address}/a.bin", f"md5:{hashlib.md5(CONTENT).hexdigest()}")
    with pytest.raises(DatasetError, match="does not have the published checksum md5:"):
        fetch(toy(file), file)
    assert not (kept / "a.bin").exists()


def test_a_file_put_there_by_hand_is_verified_too(tmp_path, kept):
    kept.mkdir(parents=True)
    (kept / "a.bin").write_bytes(b"damaged")
    file = File("a.bin", "", f"md5:{hashlib.md5(CONTENT).hexdigest()}")
    with pytest.raises(DatasetError, match=r"a\.bin: its md5 is .* was published: delete it"):
        fetch(toy(file), file)
    (kept / "a.bin").write_bytes(CONTENT)
    assert fetch(toy(file), file) == kept / "a.bin"


def test_without_a_published_checksum_the_first_is_trusted_and_the_second_refused(
    tmp_path, address, kept
):
    serve(tmp_path)
    file = File("a.bin", f"{address}/a.bin")
    path = fetch(toy(file), file)
    assert "first download is trusted" in checksum_state(file)
    assert hashlib.sha256(CONTENT).hexdigest() in (kept / "a.bin.checksum.json").read_text()
    os.utime(path, (1, 1))  # another time, the same content
    assert fetch(toy(file), file) == path
    path.write_bytes(b"changed")
    with pytest.raises(DatasetError, match=r"recorded when it was first used.*delete a\.bin\.ch"):
        fetch(toy(file), file)


def test_a_published_checksum_that_changes_is_looked_at_again(tmp_path, address):
    serve(tmp_path)
    file = File("a.bin", f"{address}/a.bin")
    fetch(toy(file), file)
    with pytest.raises(DatasetError, match="was published"):
        fetch(toy(file), replace(file, checksum="md5:00"))


def test_offline_the_error_says_what_to_put_where(kept):
    file = File("a.bin", "http://127.0.0.1:9/a.bin")
    with pytest.raises(DatasetError) as caught:
        fetch(toy(file), file)
    message = str(caught.value)
    assert message.startswith("toy cannot be downloaded: fetch http://127.0.0.1:9/a.bin by hand")
    assert "(ConnectionError: " in message
    assert f"save it as {kept / 'a.bin'}" in message
    assert "FARFIELD_DATASETS name the folder that holds toy/a.bin" in message
    assert "\n" not in message and not (kept / "a.bin").exists()


def test_a_missing_page_is_no_file(tmp_path, address, kept):
    file = File("a.bin", f"{address}/nothing.bin")
    with pytest.raises(DatasetError, match=r"cannot be downloaded: .*HTTPError: 404"):
        fetch(toy(file), file)
    assert not (kept / "a.bin").exists()


def test_what_a_person_must_fetch(kept):
    with pytest.raises(DatasetError, match="cannot be fetched by a program: fetch http://example"):
        fetch(toy(File("a")), File("a"))
    (kept / "a").mkdir(parents=True)
    assert fetch(toy(File("a")), File("a")) == kept / "a"


def test_archives_are_unpacked_once_and_whole(tmp_path, address, kept):
    (tmp_path / "inner.txt").write_text("inside")
    with tarfile.open(tmp_path / "served" / "a.tar.bz2", "w:bz2") as archive:
        archive.add(tmp_path / "inner.txt", "folder/inner.txt")
    file = File("a.tar.bz2", f"{address}/a.tar.bz2", unpack=True)
    folder = fetch(toy(file), file)
    assert (folder / "folder" / "inner.txt").read_text() == "inside"
    (kept / "a.tar.bz2").unlink()
    assert fetch(toy(file), file) == folder
    whole = (tmp_path / "served" / "a.tar.bz2").read_bytes()
    (tmp_path / "served" / "b.tar.bz2").write_bytes(whole[: len(whole) // 2])
    cut = File("b.tar.bz2", f"{address}/b.tar.bz2", unpack=True)
    with pytest.raises(DatasetError, match="no whole archive"):
        fetch(toy(cut), cut)
    assert sorted(path.name for path in kept.iterdir() if path.is_dir()) == [folder.name]


def test_without_pooch_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pooch", None)
    file = File("a.bin", "http://127.0.0.1:9/a.bin")
    with pytest.raises(DependencyError, match=r"pip install 'farfield\[data\]'"):
        fetch(toy(file), file)
