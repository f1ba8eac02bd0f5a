"""Values of all sources become JSON values in valid UTF-8."""
# pyarrow has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.record import canonical
from synth.seed.values import DEEPEST, RowError, plain


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, 1, tzinfo=UTC), "2024-02-29T01:00:00+00:00"),
        (time(1, 2, 3), "01:02:03"),
        (timedelta(minutes=1, milliseconds=500), 60.5),
        (Decimal("0.5"), 0.5),
        (Decimal("0.1"), "0.1"),
        (Decimal("NaN"), None),
        (b"caf\xc3\xa9", "café"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (("a", ("b",)), ["a", ["b"]]),
        (np.float32(0.5), 0.5),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.str_("x"), "x"),
        (pa.scalar(3), 3),
        (pa.array([1, None]), [1, None]),
        ({"k\ud800": ["\udc00 é"]}, {"k\ufffd": ["\ufffd é"]}),
        (True, True),
    ],
)
def test_a_value_is_what_json_can_hold(value: Any, expected: Any):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\xfe", "not_text: 2 bytes that are not UTF-8 text"),
        ({1: "x"}, "wrong_type: wanted text as the name of a field, found 1"),
        (object(), "wrong_type: a object has no counterpart in JSON"),
        (nested(DEEPEST + 1), "too_deep: the row is nested more than 100 deep"),
    ],
)
def test_a_value_without_a_counterpart_says_so(value: Any, reason: str):
    with pytest.raises(RowError) as caught:
        plain(value)

    assert str(caught.value) == reason


def test_nesting_up_to_the_limit_is_kept():
    assert plain(nested(DEEPEST)) == nested(DEEPEST)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
        max_leaves=20,
    )
)
def test_whatever_json_brings_can_be_written_as_utf8_and_stays_as_it_is(value: Any):
    cleaned = plain(value)

    canonical(cleaned).encode("utf-8")
    assert plain(cleaned) == cleaned
