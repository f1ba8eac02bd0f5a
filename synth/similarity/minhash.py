"""MinHash signatures, value for value those of datasketch 2.0 (scheme `affine32`, seed 1).

Broder, "On the resemblance and containment of documents" (SEQUENCES 1997): the share of equal
values of two signatures estimates the Jaccard similarity of the sets. Of a shingle's number the
upper 32 bits are what datasketch is given as the hash.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.shingles import Shingles
from synth.similarity.units import mixed

_HALF = np.uint64(32)
_STEP = np.uint64(0x9FB21C651E98DF25)
_LARGEST = np.uint32(0xFFFFFFFF)
_AT_ONCE = 4


class Permutations(NamedTuple):
    """h → factors · h + offsets modulo 2^32, for each place of a signature."""

    factors: NDArray[np.uint32]
    """All odd."""
    offsets: NDArray[np.uint32]


def permutations(count: int) -> Permutations:
    """Return those that datasketch draws for seed 1."""
    from datasketch import MinHash  # loading it takes half a second

    drawn: Any = MinHash(num_perm=count, seed=1, scheme="affine32").permutations
    return Permutations(np.ascontiguousarray(drawn[0]), np.ascontiguousarray(drawn[1]))


def signatures(shingles: Shingles, permuted: Permutations) -> NDArray[np.uint32]:
    """Return the signature of each text: (texts, permutations). A blank text's is all ones."""
    into = np.empty((len(shingles.counts), len(permuted.factors)), np.uint32)
    _sign(shingles, permuted, into)
    return into


def tags(signed: NDArray[np.uint32], bands: int, rows: int) -> NDArray[np.uint32]:
    """Return 32 bits for each band of each signature: (bands, texts).

    Texts with the same values in a band have the same tag there; others have with a probability of
    2^-32, which costs a comparison and nothing else.
    """
    into = np.empty((bands, len(signed)), np.uint32)
    _tag(signed, rows, into)
    return into


@kernel
def _sign(shingles: Shingles, permuted: Permutations, into: NDArray[np.uint32]) -> None:
    hashes = np.empty(_AT_ONCE, np.uint32)
    for text in range(len(into)):
        signature = into[text]
        signature[:] = _LARGEST
        start, count = shingles.starts[text], shingles.counts[text]
        for first in range(0, count, _AT_ONCE):
            for place in range(_AT_ONCE):
                # The last four may be some twice: the smallest of them stays the same.
                number = shingles.numbers[start + min(first + place, count - 1)]
                hashes[place] = _spread(np.uint32(number >> _HALF))
            _lower(signature, hashes, permuted)


@inlined
def _lower(
    signature: NDArray[np.uint32], hashes: NDArray[np.uint32], permuted: Permutations
) -> None:
    """Lower each value to the smallest that four hashes have there; one pass, in registers."""
    one, two, three, four = hashes[0], hashes[1], hashes[2], hashes[3]
    for place in range(len(signature)):
        factor, offset = permuted.factors[place], permuted.offsets[place]
        first = min(np.uint32(factor * one + offset), np.uint32(factor * two + offset))
        second = min(np.uint32(factor * three + offset), np.uint32(factor * four + offset))
        signature[place] = min(signature[place], first, second)


@inlined
def _spread(bits: np.uint32) -> np.uint32:
    """Return the finaliser of MurmurHash3, which datasketch puts before its permutations."""
    bits = np.uint32((bits ^ (bits >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    bits = np.uint32((bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(bits ^ (bits >> np.uint32(16)))


@kernel
def _tag(signed: NDArray[np.uint32], rows: int, into: NDArray[np.uint32]) -> None:
    for text in range(len(signed)):
        for band in range(len(into)):
            tag = np.uint64(band + 1)
            for place in range(band * rows, (band + 1) * rows):
                tag = (tag + np.uint64(signed[text, place])) * _STEP
            into[band, text] = np.uint32(mixed(tag) >> _HALF)
