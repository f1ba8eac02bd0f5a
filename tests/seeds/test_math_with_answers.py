"""Each answer of `math_with_answers` is computed here in another way than its solution goes.

Where it can be, the computation tries all cases, so an error of thought would not be repeated.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from importlib import resources
from itertools import combinations, count, permutations, product

import pytest

_TEXT = resources.files("synth.seeds").joinpath("math_with_answers.jsonl").read_text("utf-8")
ROWS = {row["id"]: row for row in map(json.loads, _TEXT.splitlines())}


def stamps() -> int:
    return next(3 * p for p in count(1) if 3 * p - 14 == p + 14)


def average_speed() -> Fraction:
    return Fraction(6 + 6) / (Fraction(6, 12) + Fraction(6, 36))


def neither_four_nor_six() -> int:
    return sum(1 for n in range(1, 1001) if n % 4 and n % 6)


def price_before() -> Fraction:
    return next(Fraction(p) for p in count(1) if p * Fraction(80, 100) * Fraction(75, 100) == 54)


def larger_is_four() -> Fraction:
    dice = range(1, 7)
    return Fraction(sum(max(pair) == 4 for pair in product(dice, dice)), 36)


def last_digit() -> int:
    return (7**2023 + 3**2023) % 10


def right_triangle() -> Fraction:
    return next(Fraction(a * (a + 2), 2) for a in count(1) if a * a + (a + 2) ** 2 == 10**2)


def bananas() -> int:
    words = {"".join(letters) for letters in permutations("BANANA")}
    return sum("NN" not in word for word in words)


def tank() -> Fraction:
    return 1 / (Fraction(1, 6) + Fraction(1, 4) - Fraction(1, 12))


def odd_numbers() -> int:
    return next(n + 8 for n in count(1, 2) if sum(range(n, n + 10, 2)) == 185)


def squares() -> int:
    # Beyond n = 9 two neighbouring squares are more than 19 apart.
    return sum(n for n in range(1, 100) if math.isqrt(n * n + 19) ** 2 == n * n + 19)


def balls() -> Fraction:
    drawn = list(combinations("rrrrrbbb", 3))
    return Fraction(sum("b" in three for three in drawn), len(drawn))


def digit_sums() -> int:
    return sum(sum(map(int, str(n))) == 5 for n in range(100, 1000))


def inscribed_square() -> Fraction:
    corners = [(5, 0), (0, 5), (-5, 0), (0, -5)]
    around = zip(corners, corners[1:] + corners[:1], strict=True)
    return Fraction(sum(x * v - u * y for (x, y), (u, v) in around), 2)


def sum_of_cubes() -> int:
    x = 2 + math.sqrt(3)
    cubes = x**3 + 1 / x**3
    assert math.isclose(x + 1 / x, 4)
    assert math.isclose(cubes, round(cubes))
    return round(cubes)


def theatre() -> int:
    return next(c for c in range(261) if 15 * (260 - c) + 8 * c == 3340)


def zeros_at_the_end() -> int:
    written = str(math.factorial(125))
    return len(written) - len(written.rstrip("0"))


def ladder() -> Fraction:
    lengths = range(66)  # in tenths of a metre
    before, after = (next(top for top in lengths if foot**2 + top**2 == 65**2) for foot in (25, 39))
    return Fraction(before - after, 10)


def staircase() -> int:
    climbs = (steps for n in range(5, 11) for steps in product("12", repeat=n))
    return sum(sum(map(int, steps)) == 10 and "22" not in "".join(steps) for steps in climbs)


def telescope() -> Fraction:
    return sum((Fraction(1, k * (k + 1)) for k in range(1, 100)), Fraction(0))


COMPUTED: tuple[Callable[[], int | Fraction], ...] = (
    stamps,
    average_speed,
    neither_four_nor_six,
    price_before,
    larger_is_four,
    last_digit,
    right_triangle,
    bananas,
    tank,
    odd_numbers,
    squares,
    balls,
    digit_sums,
    inscribed_square,
    sum_of_cubes,
    theatre,
    zeros_at_the_end,
    ladder,
    staircase,
    telescope,
)
"""One for each row, in the order of the file."""


def test_each_row_is_computed():
    assert list(ROWS) == [f"math_with_answers_{number:03}" for number in range(len(COMPUTED))]


@pytest.mark.parametrize(("number", "compute"), list(enumerate(COMPUTED)))
def test_an_answer_is_what_the_computation_gives(number: int, compute: Callable[[], Fraction]):
    answer = ROWS[f"math_with_answers_{number:03}"]["answer"]

    assert Fraction(answer) == compute()


@pytest.mark.parametrize("row", list(ROWS.values()), ids=list(ROWS))
def test_the_last_number_of_a_solution_is_the_answer(row: dict[str, str]):
    numbers = re.findall(r"\d+(?:[./]\d+)?", row["solution"])

    assert numbers[-1] == row["answer"]
