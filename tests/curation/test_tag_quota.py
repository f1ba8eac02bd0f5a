"""So many rows of each tag: none gets more, and the best come first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.tag_quota import tag_quota

TAGS = ["law", "tax", "tort"]
ROWS = st.lists(st.lists(st.sampled_from(TAGS), max_size=4), max_size=30)
QUOTAS = st.dictionaries(st.sampled_from(TAGS), st.integers(0, 5))


def kept(
    rows: Sequence[Sequence[str]], quotas: dict[str, int], scores: Sequence[float], others: int = 0
) -> list[int]:
    """Return the rows that are kept, taken one by one as the rule says."""
    taken, chosen = Counter[str](), list[int]()
    limits = {tag: quotas.get(tag, others or None) for tag in TAGS}
    for row in sorted(range(len(rows)), key=lambda row: -scores[row]):
        counted = {tag: limit for tag in rows[row] if (limit := limits[tag]) is not None}
        if counted and all(taken[tag] < limit for tag, limit in counted.items()):
            taken.update(counted.keys())
            chosen.append(row)
    return sorted(chosen)


@given(rows=ROWS, quotas=QUOTAS, others=st.integers(0, 2))
def test_rows_are_taken_while_all_their_tags_have_room(
    rows: list[list[str]], quotas: dict[str, int], others: int
):
    scores = [hash((row, len(rows))) % 7 for row in range(len(rows))]

    choice = tag_quota(rows, quotas, scores=scores, others=others)

    assert choice.kept.nonzero()[0].tolist() == kept(rows, quotas, scores, others)


def test_the_toy_table():
    rows = [["law", "tax"], ["law"], ["law"], ["tax"], ["poem"], []]

    choice = tag_quota(rows, {"law": 2, "tax": 5}, scores=[1, 2, 3, 4, 5, 6])

    assert [choice.reason(row) for row in range(6)] == [
        "group_full: number 6 of 6; the 2 of law are taken",
        "",
        "",
        "",
        "no_quota: none of its tags has one",
        "no_quota: none of its tags has one",
    ]


def test_shares_are_of_the_rows_with_the_tag():
    choice = tag_quota([["law"], ["law", "law"], ["tax"], ["law"], ["law"]], {"law": 0.5})

    assert choice.kept.tolist() == [True, True, False, False, False]


def test_shares_may_be_of_a_total():
    choice = tag_quota([["law"]] * 5, {"law": 0.1}, total=20)

    assert choice.kept.tolist() == [True, True, False, False, False]


def test_no_rows_are_no_trouble():
    assert len(tag_quota([], {"law": 1}).kept) == 0


def test_a_share_beyond_one_is_refused():
    with pytest.raises(ValueError, match=r"a share must be between 0 and 1, got 1\.5"):
        tag_quota([["law"]], {"law": 1.5})
