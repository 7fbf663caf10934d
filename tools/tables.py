"""Put the tables of studies into README and docs, where a comment names them.

A comment ``<!-- table 1 of benchmarks/embedded/results.md -->`` stands above the table; the first
of a file is table 1. ``<!-- table "Its worth" of FILE -->`` is the first one below the heading that
begins so. ``python tools/tables.py`` writes those that differ, ``--check`` names them.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = re.compile(r"<!-- table (\d+|\"[^\"]+\") of (\S+) -->\n((?:\|.*\n)*)")
HEADING = re.compile(r"^#+ ", flags=re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", flags=re.MULTILINE)


def pages() -> Iterator[Path]:
    """Where tables may stand."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").glob("*.md"))


def filled(text: str) -> str:
    """A page with the tables as the studies have them."""
    return PLACE.sub(lambda found: f"{_comment(found)}{_table(found)}", text)


def _comment(found: re.Match[str]) -> str:
    return found[0].removesuffix(found[3])


def _table(found: re.Match[str]) -> str:
    wanted, text = found[1], (ROOT / found[2]).read_text(encoding="utf-8") + "\n"
    number = 1
    if wanted.startswith('"'):
        sections = [part for part in HEADING.split(text) if part.startswith(wanted.strip('"'))]
        if len(sections) != 1:
            raise SystemExit(f"{found[2]} has {len(sections)} headings that begin {wanted}")
        text = sections[0]
    else:
        number = int(wanted)
    tables = TABLE.findall(text)
    if not 1 <= number <= len(tables):
        raise SystemExit(f"{found[2]} has {len(tables)} tables where {wanted} was asked for")
    return str(tables[number - 1])


def main() -> None:
    """Write the pages, or name those that differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if one differs")
    check = parser.parse_args().check
    stale = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (fresh := filled(text)) != text:
            stale.append(page)
            if not check:
                page.write_text(fresh, encoding="utf-8")
    for page in stale:
        print(
            f"{page.relative_to(ROOT)}: {'its tables are not those of' if check else 'now has'} "
            "the studies" + ("" if check else "' tables")
        )
    sys.exit(bool(stale) and check)


if __name__ == "__main__":
    main()
