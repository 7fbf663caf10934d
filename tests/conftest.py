"""What all tests share: one thread per process, and no cache but the run's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from farfield.processes import set_up_process


@pytest.fixture(scope="session", autouse=True)
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    set_up_process(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
