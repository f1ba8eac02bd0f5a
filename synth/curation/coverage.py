"""InsTag's selection: the rows with most tags first, each round covering the tags anew."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np

from synth.curation.best import best_first
from synth.curation.choice import Choice, Numbers, limited, ranks, told_apart
from synth.curation.groups import Tags, tagged
from synth.similarity.kernels import kernel


def tag_coverage(tags: Any, *, most: int | None = None) -> Choice:
    """Keep `most` rows, those with many tags first, so that all tags are covered again and again.

    Rows are sorted by their number of different tags, most first, ties by position. A pass begins
    with an empty set of tags, goes down the order, and takes each row that adds a tag to the set.
    Passes follow, over what is left, until `most` rows are taken. A row without tags adds none and
    is never taken; without `most` all others are.

    `tags`: for each row its tags, as an Arrow column of lists, a sequence of lists, or `Tags`. The
    rank is the place in the order of taking, had it gone on; `told` has each row's `tags` and the
    `pass` in which its turn comes (0: never).

    Time grows with the number of tags and not with that of passes; memory is 60 bytes a row and 16
    a tag.

    Source: Lu et al., "#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large
    Language Models", 2023, section 4 (complexity-first diverse sampling).
    """
    read = tags if isinstance(tags, Tags) else tagged(tags)
    counts = np.zeros(read.rows, np.int64)
    _count(read.starts, read.codes, len(read.names), counts)
    order = best_first(counts)
    passes = np.zeros(read.rows, np.int64)
    _pass(order, read.starts, read.codes, len(read.names), passes)
    places = ranks(order, read.rows)
    taken = np.lexsort((places, passes))[np.count_nonzero(passes == 0) :]
    rank = ranks(taken, read.rows)
    most = limited(most, read.rows)
    reasons = (
        "",
        "no_tags: a row without tags adds none",
        f"enough: {most} are taken, this would be number {{rank}}, in pass {{pass}}",
    )
    told = {"tags": counts, "pass": passes}
    return Choice(told_apart(passes == 0, rank > most), rank, reasons, told)


@kernel
def _count(starts: Numbers, codes: Numbers, names: int, counts: Numbers) -> None:
    """Write how many different tags each row has."""
    seen_by = np.full(names, -1, np.int64)
    for row in range(len(counts)):
        for tag in codes[starts[row] : starts[row + 1]]:
            if tag >= 0 and seen_by[tag] != row:
                seen_by[tag] = row
                counts[row] += 1


@kernel
def _pass(order: Numbers, starts: Numbers, codes: Numbers, names: int, passes: Numbers) -> None:
    """Write in which pass, from 1, each row is taken; 0 for one without tags.

    All passes are told at once. A row is taken in the first pass in which an earlier row has not
    covered one of its tags, and covers all of them there. So the passes in which a tag is covered
    are always the first ones, without a gap, and their number says all about it.
    """
    covered = np.zeros(names, np.int64)
    for row in order:
        fewest = -1
        for tag in codes[starts[row] : starts[row + 1]]:
            if tag >= 0 and (fewest < 0 or covered[tag] < fewest):
                fewest = covered[tag]
        passes[row] = fewest + 1
        for tag in codes[starts[row] : starts[row + 1]]:
            if tag >= 0 and covered[tag] == fewest:
                covered[tag] += 1
