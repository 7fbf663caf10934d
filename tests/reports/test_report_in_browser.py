"""The page in a real browser, without a network."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from farfield.reports import Report, write_report

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome")
     if (path := shutil.which(name))), None,
)  # fmt: skip
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--virtual-time-budget=3000",
)  # fmt: skip

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")


def browse(page: Path, profile: Path, *flags: str) -> str:
    """Open ``page`` with an empty browser profile and return what the browser prints."""
    assert BROWSER is not None
    command = [BROWSER, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def page(full: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(full, path)
    return path


def test_viewer_draws_every_structure_without_an_error(
    full: Report, page: Path, tmp_path: Path
) -> None:
    dom = browse(page, tmp_path, "--dump-dom")
    opening = re.search(r"<html[^>]*>", dom)
    assert opening
    assert "data-error" not in opening[0]
    canvases = re.findall(r"<canvas[^>]*>", dom)
    assert len(canvases) == len(full.structures)
    assert all('data-ready="true"' in canvas for canvas in canvases)


def test_an_error_in_the_viewer_is_noticed(page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    html = page.read_text(encoding="utf-8")
    broken.write_text(html.replace('"points":', '"dots":'), encoding="utf-8")
    assert re.search(r"<html[^>]*data-error=", browse(broken, tmp_path / "p", "--dump-dom"))


@pytest.mark.parametrize("width", [1400, 500])
def test_page_is_not_wider_than_the_window(page: Path, tmp_path: Path, width: int) -> None:
    probe = tmp_path / "probe.html"
    html = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    script = (
        "<script>document.documentElement.dataset.wide = "
        "document.documentElement.scrollWidth - window.innerWidth</script></body>"
    )
    probe.write_text(html.replace("</body>", script), encoding="utf-8")
    dom = browse(probe, tmp_path / "p", "--dump-dom", f"--window-size={width},1000")
    found = re.search(r'data-wide="(-?\d+)"', dom)
    assert found
    assert int(found[1]) <= 0


def test_screenshot_shows_drawn_structures(page: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    picture = tmp_path / "report.png"
    browse(page, tmp_path / "p", f"--screenshot={picture}", "--window-size=1000,6000")
    pixels = imread(picture)[..., :3]  # (H, W, 3) in 0..1
    red, green, blue = (pixels[..., i] for i in range(3))
    yellow = (red > 0.85) & (green > 0.75) & (blue < 0.35)  # atoms at the end of the scale
    assert yellow.sum() > 500
