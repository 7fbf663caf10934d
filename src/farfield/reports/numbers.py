"""Numbers as text: true minus signs, a dash for what is missing, digits that mean something."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TypeGuard

from farfield.reports.contents import Interval

MISSING = "—"


def is_number(value: float | None) -> TypeGuard[float]:
    """Return whether ``value`` is neither missing nor infinite nor NaN."""
    return value is not None and math.isfinite(value)


def finite(values: Iterable[float | None]) -> list[float]:
    """Return the values that are numbers."""
    return [value for value in values if value is not None and math.isfinite(value)]


def fixed(value: float | None, decimals: int) -> str:
    """Return ``value`` with so many decimals, or a dash.

    Examples
    --------
    >>> fixed(-12.345, 1), fixed(float("nan"), 1)
    ('−12.3', '—')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", "−")


def significant(value: float | None, digits: int = 3) -> str:
    """Return ``value`` with so many significant digits, in plain notation where readable.

    Examples
    --------
    >>> significant(0.012345), significant(1234.5), significant(1.2e-7)
    ('0.0123', '1234', '1.20×10^−7')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if not -4 <= exponent <= 6:
        return f"{fixed(value / 10.0**exponent, digits - 1)}×10^{fixed(exponent, 0)}"
    return fixed(value, max(0, digits - 1 - exponent))


def percent(share: float | None, *, signed: bool = False) -> str:
    r"""Return a share in 0..1 as a whole percentage, or a dash.

    Examples
    --------
    >>> percent(0.512), percent(-0.3, signed=True)
    ('51\u202f%', '−30\u202f%')
    """
    if share is None or not math.isfinite(share):
        return MISSING
    sign = "+" if signed and round(100 * share) > 0 else ""
    return f"{sign}{fixed(100 * share, 0)}\u202f%"


def interval(estimate: Interval | None, decimals: int) -> str:
    """Return ``value [low, high]``, the value alone when it has no interval, or a dash."""
    if estimate is None or not is_number(estimate.value):
        return MISSING
    value = fixed(estimate.value, decimals)
    if not (is_number(estimate.low) and is_number(estimate.high)):
        return value
    return f"{value} [{fixed(estimate.low, decimals)}, {fixed(estimate.high, decimals)}]"


def unbroken(text: str) -> str:
    r"""Return ``text`` with no line break between a number and the unit after it.

    Examples
    --------
    >>> unbroken("64 meV/Å in 3 seeds")
    '64\xa0meV/Å in 3 seeds'
    """
    return re.sub(r"(?<=\d) (?=(?:[mkµ]?eV|Å|%|K\b|n?m\b|[fpnm]?s\b|min\b))", "\xa0", text)


def decimals_for(values: Iterable[float | None]) -> int:
    """Return the decimals of a table's column: the smallest magnitude keeps two digits."""
    sizes = [abs(value) for value in finite(values) if value]
    if not sizes or min(sizes) >= 30:
        return 0
    return 1 if min(sizes) >= 3 else 2
