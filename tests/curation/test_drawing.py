"""Random rows: even, the same everywhere, and no more of a group than its cap."""
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.drawing import drawn, random_choice
from tests.curation.naive import codes, in_order, kept

DRAWN = [3788434296440722716, 5593836207101910866, 3876085909036496478]
CHOSEN = [0, 2, 3, 9, 12]


def test_draws_are_the_same_on_any_machine():
    assert drawn(3, 7).tolist() == DRAWN
    assert drawn(["0", "1", "2"], 7).tolist() == DRAWN
    assert kept(random_choice(20, seed=7, most=5)) == CHOSEN


@given(st.permutations(range(30)), st.integers(0, 30))
def test_by_ids_the_order_of_rows_does_not_matter(order: list[int], most: int):
    ids = [f"row {number}" for number in range(30)]
    first = {ids[row] for row in kept(random_choice(ids, seed=1, most=most))}

    shuffled = [ids[number] for number in order]

    assert {shuffled[row] for row in kept(random_choice(shuffled, seed=1, most=most))} == first


def test_a_larger_number_keeps_what_a_smaller_one_kept():
    few, many = (set(kept(random_choice(100, seed=3, most=most))) for most in (20, 50))

    assert few < many


def test_seeds_draw_differently():
    assert kept(random_choice(100, seed=1, most=50)) != kept(random_choice(100, seed=2, most=50))
    assert len(kept(random_choice(100, seed="a text", most=50))) == 50


def test_each_row_is_as_likely_as_any_other():
    hits = np.zeros(20)
    for seed in range(2000):
        hits += random_choice(20, seed=seed, most=5).kept

    # 500 expected, with a standard deviation of 19.
    assert (abs(hits - 500) < 5 * 19).all()


@given(
    st.lists(st.sampled_from(["a", "b", None]), max_size=20),
    st.integers(0, 20) | st.none(),
    st.integers(0, 4) | st.dictionaries(st.sampled_from(["a", None]), st.integers(0, 4)),
)
def test_caps_hold_in_the_order_of_drawing(groups: list[str | None], most, caps):
    taken: list[int] = []
    draws = drawn(len(groups), 5).tolist()
    for row in sorted(range(len(groups)), key=draws.__getitem__):
        cap = caps if isinstance(caps, int) else caps.get(groups[row], len(groups))
        so_far = sum(groups[one] == groups[row] for one in taken)
        if so_far < cap and (most is None or len(taken) < most):
            taken.append(row)

    column = pa.array(groups, pa.string())
    choice = random_choice(len(groups), seed=5, most=most, groups=column, caps=caps)

    assert in_order(choice) == taken


def test_each_row_left_out_says_why():
    choice = random_choice(pa.array(list("abcd")), seed=0, most=1, groups=list("xxxx"), caps=2)

    assert sorted(codes(choice)) == ["", "group_full", "group_full", "not_drawn"]
    full = codes(choice).index("group_full")
    assert choice.reason(full) == "group_full: 2 were drawn before it in x"


def test_edges():
    assert kept(random_choice(0, seed=1)) == []
    assert kept(random_choice(["only"], seed=1, most=4)) == [0]
    assert kept(random_choice(3, seed=1, most=0)) == []
    assert kept(random_choice(["same", "same"], seed=1, most=1)) == [0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: random_choice(3, seed=1, most=-1), "got -1"),
        (lambda: random_choice(3, seed=1, caps=1), "give groups"),
        (lambda: random_choice(3, seed=1, groups=list("aab"), caps={"a": -2}), "got -2"),
        (lambda: random_choice(3, seed=1, groups=["a"]), "3"),
    ],
)
def test_a_request_that_makes_no_sense_says_what_is_wanted(wrong, told: str):
    with pytest.raises(ValueError, match=told):
        wrong()
