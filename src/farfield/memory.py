"""Keep freed memory for the next tensor: the pages of a new one cost more than what fills it.

A training step of a small model makes hundreds of tensors of some megabytes. glibc gives such
blocks back to the system at once and asks for them anew, page by page.
"""

from __future__ import annotations

import ctypes
import sys

LARGEST = 32 * 2**20  # bytes; above that glibc maps every block by itself, whatever it is told
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
SETTINGS = {M_MMAP_THRESHOLD: LARGEST, M_TRIM_THRESHOLD: 2**31 - 1, M_TOP_PAD: 2 * LARGEST}


def keep_freed_memory() -> bool:
    """Tell glibc to keep the memory that this process frees; elsewhere do nothing.

    No result changes by it. ``MALLOC_...`` variables of the environment are overruled.

    Returns
    -------
    Whether it was told.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library, such as musl
        return False
    told = [mallopt(key, value) == 1 for key, value in SETTINGS.items()]
    return all(told)
