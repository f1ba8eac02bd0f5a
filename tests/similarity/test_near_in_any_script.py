"""In hostile texts of any script, what is near is what plainly comparing all pairs finds."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import random
import unicodedata
from itertools import groupby, pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from synth.similarity.near import Batches, Index, Nearest, Options, Reading, Spill, groups

SCRIPTS = [
    *("天地玄黄宇宙洪荒", "あいうカキヘ\u3099ﾊﾟ", "กขคก็ส\u0e31\u0e34", "हिन्दीकाकी ", "שָׁלוֹם "),
    *("مَرْحَبًا ", "abcdef ", "àéîe\u0301o\u0308 ", "각\u1100\u1161\u11a8나 ", "ＡＢＣ１２ﬁ½"),
    *("İıßŉΣς", "\U00020000\U0002f800", "😀👍🏽❤\ufe0f✈\ufe0f", "\x00\x1f\t\n ", "。、！？.,!-'"),
    *("\u200d\u200c\u200b", "\ufffd\uffff\ue000"),
]
EACH = (
    *((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x9FFF)),
    *((0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)
Shingles = frozenset[tuple[str, ...]]
OPTIONS = [
    Options(0.5, reading=Reading(ngram=2)),
    Options(0.8, 64, Reading(ngram=1, ignore_case=False, normal_form=None)),
    Options(0.3, 200, Reading(ngram=3, unit="characters")),
    Options(1.0, reading=Reading(ngram=1, unit="characters", ignore_punctuation=False)),
    Options(0.8, reading=Reading(ngram=1, ignore_punctuation=False, normal_form="NFC")),
]


def corpus(drawn: random.Random, size: int) -> list[str | None]:
    """Return texts of one to four scripts, some spelt or written in another way, some changed."""
    made: list[str | None] = [None, "", "\u3000"]
    while len(made) < size:
        scripts = drawn.sample(SCRIPTS, drawn.choice([1, 1, 2, 4]))
        length = drawn.choice([1, 2, 3, 8, 30, 60])
        text = "".join(drawn.choice(drawn.choice(scripts)) for _ in range(length))
        changed = list(text)
        changed[drawn.randrange(length)] = drawn.choice(drawn.choice(SCRIPTS))
        form = drawn.choice(("NFC", "NFD", "NFKC", "NFKD"))
        made += drawn.sample(
            [text, "".join(changed), text.upper(), unicodedata.normalize(form, text)], 3
        )
    drawn.shuffle(made)
    return made


def kind(character: str, reading: Reading) -> str:
    """Return whether a character separates, is of a word, or is one by itself."""
    if any(first <= ord(character) <= last for first, last in EACH):
        return "alone"
    on_a_letter = unicodedata.category(character) in {"Mn", "Mc"} and character != "\ufe0f"
    if character.isalnum() or character == "_" or on_a_letter:
        return "word"
    return "space" if character.isspace() or reading.ignore_punctuation else "alone"


def units(text: str, reading: Reading) -> list[str]:
    """Return words or characters; of a text without any, the text."""
    spelt = unicodedata.normalize(reading.normal_form, text) if reading.normal_form else text
    spelt = spelt.casefold() if reading.ignore_case else spelt
    found: list[str] = []
    if reading.unit == "characters":
        spaced = "".join(" " if kind(one, reading) == "space" else one for one in spelt)
        found = list(" ".join(word for word in spaced.split(" ") if word))
    else:
        for what, run in groupby(spelt, lambda one: kind(one, reading)):
            together = "".join(run)
            if what != "space":
                found += [together] if what == "word" else together
    return found or [f"the whole text: {text.strip()}"]


def shingles(units: list[str], ngram: int) -> Shingles:
    size = min(ngram, len(units))
    return frozenset(tuple(units[at : at + size]) for at in range(len(units) - size + 1))


def by_comparing_all(texts: list[str | None], options: Options) -> Nearest:
    """Return what is near: the first text that reads the same, else the most similar one."""
    read = [units(text, options.reading) if text and text.strip() else None for text in texts]
    sets = [shingles(one or [], options.reading.ngram) for one in read]
    nearest = Nearest.none(len(texts))
    new: list[int] = []
    for row, mine in enumerate(read):
        if mine is None:
            continue
        same = next((other for other in new if read[other] == mine), None)
        for other in new if same is None else [same]:
            similarity = len(sets[row] & sets[other]) / len(sets[row] | sets[other])
            if similarity >= max(options.threshold, nearest.similarity[row] + 1e-12):
                nearest.earlier[row], nearest.similarity[row] = other, similarity
        new += [row] if same is None else []
    return nearest


def told(nearest: Nearest) -> list[tuple[int, float]]:
    return list(zip(nearest.earlier.tolist(), nearest.similarity.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", OPTIONS, ids=range(len(OPTIONS)))
def test_in_any_script_all_ways_find_what_comparing_all_finds(
    options: Options, seed: int, tmp_path: Path
):
    drawn = random.Random(seed)
    texts = corpus(drawn, 120)
    column = pa.array(texts, pa.string())
    borders = [0, *sorted(drawn.sample(range(len(texts)), 5)), len(texts)]
    parts = [column.slice(one, other - one) for one, other in pairwise(borders)]
    index = Index(options)

    found = told(groups(column, options, threads=1).nearest)

    assert found == told(by_comparing_all(texts, options))
    assert 10 < sum(earlier >= 0 for earlier, _ in found) < 110
    assert found == told(groups(Batches(len(texts), parts), options, threads=3).nearest)
    assert found == told(groups(column, options, spill=Spill(64, tmp_path)).nearest)
    assert found == [one for part in parts for one in told(index.add(part.to_pylist()))]
