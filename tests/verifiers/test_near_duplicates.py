"""Near duplicates: exact similarity, first kept, the same in every process."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from itertools import combinations
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from synth import Record
from synth.testing import VerifierContract, judge, made, record

BILL = "Explain in simple words how a bill becomes a law and who has to sign it in the end"


class TestContract(VerifierContract):
    verifier = "near_duplicates"
    must_pass: ClassVar = [record(instruction=BILL), record(instruction="Name a river.", number=1)]
    must_fail: ClassVar = [record(instruction=BILL + ".", number=2)]
    must_abstain: ClassVar = [record(instruction=" ", number=3)]


def asked(*instructions: str) -> list[Record]:
    return [record(instruction=text, number=number) for number, text in enumerate(instructions)]


def planted(texts: int, length: int) -> list[str]:
    """Return random texts, and after each a copy in which some words are others."""
    drawn = random.Random(7)
    made: list[str] = []
    for number in range(texts):
        words = [f"w{drawn.randrange(5000)}" for _ in range(length)]
        made.append(" ".join(words))
        for place in drawn.sample(range(length), number % 8):
            words[place] = "other"
        made.append(" ".join(words))
    return made


def ngrams(text: str) -> set[tuple[str, ...]]:
    words = text.split()
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


def test_the_verdict_names_the_earlier_record_and_the_exact_similarity():
    first, _, again = asked(BILL, "Name a river.", BILL + " today")

    verdict = judge("near_duplicates", [first, again])[-1]

    assert verdict.evidence == {"of": first.id, "similarity": 15 / 16}
    assert verdict.score == 15 / 16
    assert verdict.reason.startswith(
        f"near_duplicate: 0.94 similar to the earlier record {first.id}"
    )


def test_of_several_earlier_texts_the_nearest_is_named():
    near, nearer, again = asked("a b c d e f", "b c d e f g h", "a b c d e f g h")

    verdict = judge("near_duplicates", [near, nearer, again], ngram=1, threshold=0.7)[-1]

    assert verdict.evidence is not None
    assert verdict.evidence["of"] == nearer.id


def test_a_text_that_failed_still_counts_as_an_earlier_one():
    chain = asked("a b c d e f g h", "b c d e f g h i", "c d e f g h i j")

    verdicts = judge("near_duplicates", chain, ngram=1, threshold=0.7)

    assert [verdict.outcome for verdict in verdicts] == ["pass", "fail", "fail"]
    assert verdicts[2].evidence == {"of": chain[1].id, "similarity": 0.7778}


def test_verdicts_are_the_same_at_any_batch_size():
    records = asked(*planted(40, 60), " ", *planted(10, 60))
    whole = judge("near_duplicates", records)
    verifier = made("near_duplicates")

    parts = [verifier.judge(records[start : start + 7]) for start in range(0, len(records), 7)]

    assert [verdict for part in parts for verdict in part] == whole


def test_state_goes_on_from_batch_to_batch_and_another_verifier_knows_nothing():
    verifier, other = made("near_duplicates"), made("near_duplicates")
    first, again = asked(BILL, BILL)
    verifier.judge([first])

    assert verifier.judge([again])[0].outcome == "fail"
    assert other.judge([again])[0].outcome == "pass"


def test_what_fails_is_what_comparing_all_pairs_finds():
    texts = planted(150, 100)
    wanted: list[str] = []
    grams = [ngrams(text) for text in texts]
    for number, mine in enumerate(grams):
        near = any(len(mine & other) / len(mine | other) >= 0.8 for other in grams[:number])
        wanted.append("fail" if near else "pass")

    verdicts = judge("near_duplicates", asked(*texts))

    assert [verdict.outcome for verdict in verdicts] == wanted
    assert 50 < wanted.count("fail") < 150


def test_verdicts_do_not_depend_on_the_seed_of_pythons_hashes():
    code = (
        "import json, sys; from synth.testing import judge, record; "
        "texts = json.load(sys.stdin); "
        "asked = [record(instruction=text, number=n) for n, text in enumerate(texts)]; "
        "print([v.reason for v in judge('near_duplicates', asked)])"
    )
    texts = json.dumps(planted(20, 60))

    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            input=texts,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert said[0] == said[1]
    assert "near_duplicate" in said[0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab \n.我"), max_size=12), max_size=8))
def test_no_two_texts_that_pass_are_near_duplicates(texts: list[str]):
    verdicts = judge("near_duplicates", asked(*texts), ngram=1, threshold=1.0)
    kept = [
        text for text, verdict in zip(texts, verdicts, strict=True) if verdict.outcome == "pass"
    ]

    for one, other in combinations(kept, 2):
        assert one.strip().casefold() != other.strip().casefold()
