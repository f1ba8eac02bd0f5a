"""The exact similarity of texts, from their sets of shingles."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.shingles import Shingles, distinct, power_of_two

_ONE = np.uint64(1)


@kernel
def jaccards(
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
    shingles: Shingles,
    into: NDArray[np.float64],
) -> None:
    """Write the exact Jaccard similarity, 0 to 1, of the texts `later[i]` and `earlier[i]`.

    Both are places in `shingles` of texts that are not blank. Quickest where equal `later` stand in
    a row: the set of such a text is made once.
    """
    slots = np.empty(0, np.uint64)
    size, made_of = 1, -1
    for pair in range(len(later)):
        if later[pair] != made_of:
            made_of = later[pair]
            mine = _numbers_of(shingles, made_of)
            size = 2 * power_of_two(len(mine))
            if size > len(slots):
                slots = np.empty(size, np.uint64)
            # They differ already, so nothing moves: this fills the slots.
            distinct(mine, slots)
        others = _numbers_of(shingles, earlier[pair])
        shared = _shared(others, slots, size)
        into[pair] = shared / (shingles.counts[made_of] + len(others) - shared)


@inlined
def _numbers_of(shingles: Shingles, row: int) -> NDArray[np.uint64]:
    return shingles.numbers[shingles.starts[row] : shingles.starts[row] + shingles.counts[row]]


@inlined
def _shared(numbers: NDArray[np.uint64], slots: NDArray[np.uint64], size: int) -> int:
    last = np.uint64(size - 1)
    shared = 0
    for number in numbers:
        slot = number & last
        while slots[slot] != 0 and slots[slot] != number:
            slot = (slot + _ONE) & last
        shared += slots[slot] == number
    return shared
