"""How a MinHash is cut into bands, so that near texts meet in one of them.

Texts of similarity s have all `rows` values of a band in common with probability s^rows, and so
those of one in `bands` with 1 - (1 - s^rows)^bands (Leskovec et al., *Mining of Massive Datasets*,
section 3.4).
"""

from __future__ import annotations

_WANTED_RECALL = 0.999


def chosen(threshold: float, permutations: int) -> tuple[int, int]:
    """Return bands, and rows a band: the most selective that still find 999 of 1,000 pairs.

    A pair just at the threshold (0 to 1) is meant; closer ones are found more surely. There are at
    least two bands, and at least one row, even if fewer pairs are then found. For 0.8 and 128
    permutations it is 25 bands of 5 rows, which find 0.99995.
    """
    for rows in range(permutations // 2, 1, -1):
        bands = permutations // rows
        if found(threshold, bands, rows) >= _WANTED_RECALL:
            return bands, rows
    return permutations, 1


def found(similarity: float, bands: int, rows: int) -> float:
    """Return the probability, 0 to 1, that two texts so similar meet in a band."""
    return 1 - (1 - similarity**rows) ** bands
