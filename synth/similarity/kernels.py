"""How loops over arrays become machine code: compiled by numba at their first call, and kept.

Kernels hold no Python lock, so threads run them side by side. What was compiled is kept beside the
module, or in the user's cache where the package cannot be written to, or else for the process only.
"""
# numba publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false, reportUntypedFunctionDecorator=false

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

BUILT_IN = ("kernels.py", "reading.py", "shingles.py", "units.py")
"""Modules whose functions and constants are compiled into kernels of other modules."""


def _digest() -> str:
    folder = Path(__file__).parent
    sources = [(folder / name).read_bytes() for name in BUILT_IN if (folder / name).exists()]
    return blake2b(b"|".join(sources), digest_size=4).hexdigest()


_SOURCES = _digest()


def kernel(function: Function) -> Function:
    """Return `function` compiled; it may use arrays, numbers, and other kernels."""
    # numba looks at a kernel's own file to see whether what it kept is still true. The name is part
    # of what it looks for, so this way it also sees changes in what is compiled in.
    function.__qualname__ = f"{function.__qualname__}_{_SOURCES}"
    try:
        compiled = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        # numba says this of a cache: there is no folder at all that can be written.
        compiled = numba.njit(nogil=True)(function)
    return cast("Function", compiled)


def inlined(function: Function) -> Function:
    """Return `function` for use inside kernels only, where it costs no call."""
    return cast("Function", numba.njit(inline="always")(function))
