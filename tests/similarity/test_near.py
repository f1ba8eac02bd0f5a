"""Near texts: what is found, what is kept, and that it is the same in bulk, by batches, on disk."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.similarity.buckets import Buckets
from synth.similarity.near import Batches, Groups, Index, Nearest, Options, Reading, Spill, groups
from synth.similarity.spilled import Banding

WORDS = Options(threshold=0.7, reading=Reading(ngram=1))
CHAIN = ["a b c d e f g h", "c d e f g h i j", "b c d e f g h i"]


def planted(texts: int, length: int = 80) -> list[str]:
    """Return random texts of which two in three are copies with some words replaced, shuffled."""
    drawn = random.Random(11)
    made: list[str] = []
    while len(made) < texts:
        words = [f"w{drawn.randrange(3000)}" for _ in range(length)]
        for _ in range(3):
            made.append(" ".join(words))
            for place in drawn.sample(range(length), drawn.randrange(4)):
                words[place] = "other"
    drawn.shuffle(made)
    return made


def similarity(one: str, other: str, ngram: int = 5) -> float:
    sets = [
        {tuple(words[at : at + ngram]) for at in range(max(len(words) - ngram, 0) + 1)}
        for words in (one.split(), other.split())
    ]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def by_comparing_all(texts: list[str], threshold: float) -> Nearest:
    nearest = Nearest.none(len(texts))
    for earlier, later in combinations(range(len(texts)), 2):
        found = similarity(texts[earlier], texts[later])
        if found >= threshold and found > nearest.similarity[later]:
            nearest.earlier[later], nearest.similarity[later] = earlier, found
    return nearest


def same(one: Nearest, other: Nearest) -> bool:
    return np.array_equal(one.earlier, other.earlier) and np.array_equal(
        one.similarity, other.similarity
    )


def one_by_one(texts: list[str | None], options: Options, size: int) -> Nearest:
    index = Index(options)
    batches = [index.add(texts[start : start + size]) for start in range(0, len(texts), size)]
    return Nearest(
        np.concatenate([batch.earlier for batch in batches]),
        np.concatenate([batch.similarity for batch in batches]),
    )


def test_what_is_found_is_what_comparing_all_pairs_finds():
    texts = planted(300)

    found = groups(pa.array(texts))

    assert same(found.nearest, by_comparing_all(texts, 0.8))
    assert 60 < (found.nearest.earlier >= 0).sum() < 200


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.none() | st.text(st.sampled_from("abcé 我.\x00"), max_size=12), max_size=20),
    st.integers(1, 5),
)
def test_bulk_batches_and_threads_find_the_same(texts: list[str | None], size: int):
    options = Options(threshold=0.5, reading=Reading(ngram=2))
    whole = groups(pa.array(texts, pa.string()), options, threads=1)

    shared = groups(pa.array(texts, pa.large_string()), options, threads=3)

    assert same(shared.nearest, whole.nearest)
    assert np.array_equal(shared.first, whole.first)
    if texts:
        assert same(one_by_one(texts, options, size), whole.nearest)


@pytest.mark.parametrize("alike", [False, True], ids=["few near", "all near"])
def test_banding_on_disk_finds_the_same(alike: bool, tmp_path: Path):
    template = " ".join(f"w{place}" for place in range(60))
    texts = [f"{template} {n}" for n in range(600)] if alike else planted(600)
    wanted = groups(pa.array(texts))

    found = groups(pa.array(texts), spill=Spill(64, tmp_path))

    assert same(found.nearest, wanted.nearest)
    assert np.array_equal(found.first, wanted.first)
    assert list(tmp_path.iterdir()) == []


def test_banding_takes_more_tags_than_its_memory_holds(tmp_path: Path):
    drawn = np.random.default_rng(5)
    rows = np.arange(500_000)
    tags = drawn.integers(0, 2**32, (25, len(rows)), dtype=np.uint32)
    tags[:, 400_000:] = tags[:, :100_000]

    with Banding(tmp_path, 40) as banding:
        banding.add(rows, tags)
        found = [np.array(pairs) for pairs in banding.pairs()]

    pairs = np.concatenate(found, axis=1)
    planted = pairs[0] - pairs[1] == 400_000
    assert planted.sum() == 100_000
    assert len(pairs[0]) < 101_000


def test_of_a_crowded_bucket_a_row_meets_the_first_and_the_last():
    met = Buckets().meet(np.full(100, 7, np.uint32), np.arange(100))

    assert np.bincount(met.later).max() == 16
    assert sorted(met.earlier[met.later == 60]) == [*range(8), *range(52, 60)]
    assert sorted(met.earlier[met.later == 12]) == list(range(12))


def test_rows_meet_whatever_came_between(tmp_path: Path):
    buckets = Buckets()
    tags = np.arange(5000, dtype=np.uint32) * 859_433
    buckets.meet(tags, np.arange(5000))

    met = buckets.meet(tags[::-1].copy(), np.arange(5000, 10_000))

    assert np.array_equal(met.earlier, np.arange(5000)[::-1])
    assert np.array_equal(met.later, np.arange(5000, 10_000))


def test_many_identical_rows_repeat_the_first():
    texts = pa.array(["The same text, again and again."] * 200_000)

    found = groups(texts)

    assert (found.first == 0).all()
    assert (found.nearest.earlier[1:] == 0).all()
    assert (found.nearest.similarity[1:] == 1).all()
    assert found.kept().sum() == 1


def test_many_near_identical_rows_are_one_group():
    template = " ".join(f"w{place}" for place in range(100))

    found = groups(pa.array([f"{template} {number}" for number in range(5000)]))

    assert (found.first == 0).all()
    assert found.kept().sum() == 1


def test_of_a_chain_first_keeps_whoever_had_nobody_before_it():
    found = groups(pa.array(CHAIN), WORDS)

    assert found.first.tolist() == [0, 0, 0]
    assert found.nearest.earlier.tolist() == [-1, -1, 0]
    assert found.kept("first").tolist() == [True, True, False]
    assert found.kept("none").tolist() == [False, False, False]


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ([1.0, 2.0, 3.0, 0.0], 2),
        ([1.0, 3.0, 3.0, 0.0], 1),
        ([np.nan, -np.inf, np.nan, 0.0], 1),
        ([np.nan, np.nan, np.nan, np.nan], 0),
    ],
)
def test_best_keeps_the_highest_score_of_a_group(scores: list[float], best: int):
    found = groups(pa.array([*CHAIN, "alone"]), WORDS)

    kept = found.kept("best", np.array(scores))

    assert np.flatnonzero(kept).tolist() == [best, 3]


def test_none_keeps_those_that_nothing_repeats():
    found = groups(pa.array(["a b", "c d", "A B!", "e f"]))

    assert found.kept("none").tolist() == [False, True, False, True]


@pytest.mark.parametrize(("scores", "got"), [(None, "none"), (np.zeros(2), "2")])
def test_best_without_a_score_for_each_row_is_refused(scores: np.ndarray | None, got: str):
    found = Groups(np.arange(3), Nearest.none(3))

    with pytest.raises(ValueError, match=f"a score for each of 3 rows, got {got}"):
        found.kept("best", scores)


def test_blank_texts_and_nulls_repeat_nothing():
    found = groups(pa.array(["", None, " \n", "", None, "\u3000"]))

    assert found.kept("none").all()


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
)
def test_any_arrow_column_of_text_will_do(kind: pa.DataType):
    rows = pa.array(["x", "a b", "c", "a b", None, "A b"]).cast(kind)
    chunked = pa.chunked_array([rows.slice(1, 2), rows.slice(3, 0), rows.slice(3)])

    found = groups(chunked)

    assert found.nearest.earlier.tolist() == [-1, -1, 0, -1, 0]


def test_batches_that_are_read_meanwhile_are_one_set():
    texts = [f"{word} {number}" for number in range(40) for word in ("a b", "A b", "c d")]
    batches = (pa.array(texts[start : start + 7]) for start in range(0, len(texts), 7))

    found = groups(Batches(len(texts), batches), WORDS)

    assert found.nearest.earlier.tolist() == groups(pa.array(texts), WORDS).nearest.earlier.tolist()


@pytest.mark.parametrize("said", [1, 3])
def test_batches_that_do_not_hold_what_they_say_are_refused(said: int):
    with pytest.raises(ValueError, match=f"wanted {said} texts"):
        groups(Batches(said, [pa.array(["a b"]), pa.array(["c d"])]))


def test_what_breaks_while_batches_are_read_is_told():
    def broken() -> Iterator[pa.Array]:
        yield pa.array(["a b"])
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        groups(Batches(2, broken()))


def test_long_texts_are_compared_too():
    long = " ".join(str(number) for number in range(180_000))

    nearest = Index().add([long, "short", long + " end", "x" * 1_000_000])

    assert nearest.earlier.tolist() == [-1, -1, 0, -1]
    assert nearest.similarity[2] == 179_996 / 179_997


def test_threshold_one_asks_for_the_same_shingles():
    options = Options(threshold=1.0)

    found = groups(pa.array(["a b c d e f", "a b c d e f g", "a b c d e f"]), options)

    assert found.nearest.earlier.tolist() == [-1, -1, 0]


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"threshold": 1.1}, {"permutations": 1}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(ValueError, match="wanted"):
        Options(**wrong)  # pyright: ignore[reportArgumentType]


def test_an_index_that_failed_says_so():
    index = Index()
    index.add(["fine", "half a pair \ud800"])

    with pytest.raises(AttributeError):
        index.add(["fine", 7])  # pyright: ignore[reportArgumentType]

    with pytest.raises(RuntimeError, match="failed once"):
        index.add(["more"])


def test_an_index_loads_no_arrow():
    code = (
        "import sys; from synth.similarity.near import Index; Index().add(['a']); "
        "print(sorted({'duckdb', 'pyarrow'} & {*sys.modules}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
