"""Kill a running ``farfield label`` with SIGKILL, start it again, and count."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from farfield.priors import LabelCache, key_of, load_prior
from farfield.structures import labels_of, read, write

COUNT = 24
PATIENCE = 150.0  # s, on a loaded machine


def entries(log: Path) -> list[tuple[int, str]]:
    """Process and structure of each computation."""
    return [
        (int(file.name), line) for file in log.glob("*") for line in file.read_text().splitlines()
    ]


def wait_until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see processes")
@pytest.mark.parametrize("workers", [1, 2])
def test_after_kill_9_nothing_is_lost_and_only_what_was_in_flight_is_repeated(
    named, chain, tmp_path, workers
):
    given, output, cache_dir = tmp_path / "in.xyz", tmp_path / "out.xyz", tmp_path / "cache"
    write(given, chain(COUNT))
    command = [sys.executable, "-m", "farfield", "label", str(given), "--prior", named("Slow")]
    command += ["--workers", str(workers), "--cache", str(cache_dir), "-o", str(output)]

    def environment(log: Path) -> dict[str, str]:
        return os.environ | {"FARFIELD_TEST_LOG": str(log)}

    first, second = tmp_path / "first", tmp_path / "second"
    with (tmp_path / "stderr").open("w") as errors:
        running = subprocess.Popen(command, env=environment(first), stderr=errors)
        try:
            wait_until(lambda: len(entries(first)) >= COUNT // 4 or running.poll() is not None)
            assert running.poll() is None, (tmp_path / "stderr").read_text()
        finally:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
    wait_until(lambda: not any(is_running(process) for process, _ in entries(first)))
    assert not output.exists()

    level = load_prior(named("Slow")).level_of_theory
    names = {f"{atoms.get_distance(0, 1):.6f}": key_of(atoms, level) for atoms in read(given)}
    with LabelCache(cache_dir) as cache:
        kept = {name for name, key in names.items() if cache.get(key) is not None}
    begun = {name for _, name in entries(first)}
    assert len(kept) < COUNT, "the run was over before it was killed"
    assert kept <= begun
    in_flight = begun - kept
    assert len(in_flight) <= 2 * workers  # one runs in each worker, one may be on its way back

    subprocess.run(command, env=environment(second), check=True, timeout=PATIENCE)
    again = Counter(name for _, name in entries(second))
    assert set(again) == set(names) - kept
    assert set(again.values()) == {1}
    found = read(output)
    assert len(found) == COUNT
    for index, atoms in enumerate(found):
        labels = labels_of(atoms, "farfield_slow")
        assert labels.energy == pytest.approx((0.05 * index) ** 2, abs=1e-6)
