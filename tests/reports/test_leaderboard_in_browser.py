"""The leaderboard in a real browser: a click sorts, nothing goes wrong, nothing sticks out."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from tests.benchmarks.made import results
from tests.reports.test_report_in_browser import BROWSER, browse

from farfield.benchmarks.results.leaderboard import leaderboard
from farfield.reports.leaderboard import render_leaderboard

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome is installed")

PROBE = """<script>
const table = document.querySelector("table.sortable");
const button = table.tHead.querySelectorAll("button")[COLUMN];
const shown = () => [...table.tBodies[0].rows].map((row) => row.cells[COLUMN].dataset.value);
const orders = [];
for (let i = 0; i < 2; i += 1) { button.click(); orders.push(shown()); }
document.documentElement.dataset.orders = JSON.stringify(orders);
document.documentElement.dataset.wide =
  document.documentElement.scrollWidth - window.innerWidth;
</script></body>"""


def test_a_click_sorts_and_what_is_missing_stands_last(tmp_path: Path) -> None:
    content = results(lacking=("painn", "ttt"))
    page = render_leaderboard(leaderboard(content, [content]))
    page = re.sub(r"<meta http-equiv[^>]*>", "", page)
    path = tmp_path / "page.html"
    path.write_text(page.replace("</body>", PROBE.replace("COLUMN", "2")), encoding="utf-8")
    dom = browse(path, tmp_path / "p", "--dump-dom", "--window-size=500,1000")
    opening = re.search(r"<html[^>]*>", dom)
    assert opening
    assert "data-error" not in opening[0]
    orders = re.search(r'data-orders="([^"]*)"', opening[0])
    wide = re.search(r'data-wide="(-?\d+)"', opening[0])
    assert orders and wide
    up, down = json.loads(unescape(orders[1]))
    assert up[-1] == down[-1] == ""
    assert len(up) == len(down) == 11
    values = [float(value) for value in up[:-1]]
    assert values == sorted(values)
    assert [float(value) for value in down[:-1]] == values[::-1]
    assert int(wide[1]) <= 0


def test_the_page_may_run_its_own_script(tmp_path: Path) -> None:
    content = results()
    path = tmp_path / "page.html"
    path.write_text(render_leaderboard(leaderboard(content, [content])), encoding="utf-8")
    dom = browse(path, tmp_path / "p", "--dump-dom", "--enable-logging=stderr")
    assert "Content Security Policy" not in dom
    assert "data-error" not in dom[:500]
