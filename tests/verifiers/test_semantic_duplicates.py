"""Semantic duplicates: the first is kept, small words count, batches do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import Record, Verifier
from synth.errors import PluginError
from synth.testing import VerifierContract, judge, made, record
from tests.similarity.tiny_models import tiny_static

PAIRS = Path(__file__).parent / "paraphrases.jsonl"


def asked(*instructions: str) -> list[Record]:
    return [record(instruction=text, number=number) for number, text in enumerate(instructions)]


def minilm() -> Verifier:
    verifier = made("semantic_duplicates")
    try:
        verifier.ready()
    except PluginError as missing:
        pytest.skip(str(missing))
    return verifier


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, Any]:
    """Options with a model to which `boil` means what `cook` means."""
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    folder = tiny_static(tmp_path / "tiny", {"boil": "cook"})
    return {"embedding": f"model2vec:{folder}", "threshold": 0.8}


class TestContract(VerifierContract):
    verifier = "semantic_duplicates"
    must_pass: ClassVar = [
        record(instruction="How do I cook rice?"),
        record(instruction="How do I travel from Vienna to Budapest by train?", number=1),
        record(instruction="How do I travel from Budapest to Vienna by train?", number=2),
    ]
    must_fail: ClassVar = [record(instruction="What is the way to prepare rice?", number=3)]
    must_abstain: ClassVar = [
        record(instruction=" ", number=4),
        record(instruction="你好，请问怎么做饭", number=5),
    ]

    @pytest.fixture(autouse=True)
    def _with_the_model(self) -> None:
        minilm()


def test_the_verdict_names_the_earlier_record_and_the_cosine(tiny: dict[str, Any]):
    first, again = asked("how do i cook rice", "how do i boil rice")

    [_, verdict] = judge("semantic_duplicates", [first, again], **tiny)

    assert verdict.evidence == {"of": first.id, "cosine": 1.0}
    assert verdict.score == 1.0
    assert verdict.reason == (
        f"semantic_duplicate: it says what the earlier record {first.id} says: cosine 1.00, below "
        "0.80 is let pass"
    )


def test_what_was_told_apart_passes_with_the_nearest_as_evidence(tiny: dict[str, Any]):
    first, back = asked("rice how map", "map how rice")

    [_, verdict] = judge("semantic_duplicates", [first, back], **tiny)

    assert verdict.outcome == "pass"
    assert verdict.evidence == {"near": first.id, "cosine": 1.0, "difference": "order"}


def test_without_telling_apart_the_cosine_alone_decides(tiny: dict[str, Any]):
    verdicts = judge(
        "semantic_duplicates", asked("rice how map", "map how rice"), tell_apart=False, **tiny
    )

    assert [verdict.outcome for verdict in verdicts] == ["pass", "fail"]


def test_a_replaced_word_wants_its_own_threshold(tiny: dict[str, Any]):
    texts = asked("how do i cook a rice", "how do i cook a map")
    strict = {**tiny, "threshold": 0.7, "replaced_threshold": 0.99}
    loose = {**strict, "replaced_threshold": 0.7}

    outcomes = [judge("semantic_duplicates", texts, **way)[-1].outcome for way in (strict, loose)]

    assert outcomes == ["pass", "fail"]


def with_vectors(*vectors: Any) -> list[Record]:
    """Return requests with unlike words, and these vectors in the field `embedding`."""
    words = ("boil rice", "draw maps", "tie knots", "paint doors", "sharpen knives")
    return [
        record(fields={"embedding": vector}, instruction=text, number=number)
        for number, (text, vector) in enumerate(zip(words, vectors, strict=False))
    ]


def test_vectors_may_come_from_a_field():
    first, near, far = with_vectors([2, 0], [0.99, 0.1], [0, 1.0])

    verdicts = judge("semantic_duplicates", [first, near, far], vectors="embedding", threshold=0.9)

    assert [verdict.outcome for verdict in verdicts] == ["pass", "fail", "pass"]
    assert verdicts[1].evidence == {"of": first.id, "cosine": 0.9949}


@pytest.mark.parametrize(
    "odd", [None, "0.1", [], [1], [1, "2"], [1, None], [0, 0], [True, 1], [1, 10**400]]
)
def test_a_field_without_such_a_vector_is_no_verdict(odd: Any):
    [_, verdict] = judge(
        "semantic_duplicates", with_vectors([2, 0], odd), vectors="embedding", threshold=0.9
    )

    assert verdict.outcome == "abstain"
    assert verdict.reason == (
        "no_vector: the field 'embedding' holds no list of 2 numbers, or only zeros"
    )


def test_records_without_any_vectors_are_not_judged():
    verdicts = judge(
        "semantic_duplicates", with_vectors(None, None), vectors="embedding", threshold=0.9
    )

    assert {verdict.outcome for verdict in verdicts} == {"abstain"}


def test_vectors_of_another_model_want_a_threshold():
    with pytest.raises(ValidationError, match="wants `threshold` with `vectors: embedding`"):
        made("semantic_duplicates", vectors="embedding")


def test_a_nearer_text_that_is_told_apart_does_not_hide_a_duplicate(tiny: dict[str, Any]):
    nearer, same, judged = asked("cook rice 2", "how cook rice 3", "cook rice 3")

    [*_, verdict] = judge("semantic_duplicates", [nearer, same, judged], **tiny)

    assert verdict.outcome == "fail"
    assert verdict.evidence == {"of": same.id, "cosine": 0.8165}


def test_a_dropped_text_is_no_origin(tiny: dict[str, Any]):
    chain = asked("how do cook", "how do boil i", "how rice boil i")

    verdicts = judge("semantic_duplicates", chain, **{**tiny, "threshold": 0.74})

    assert [verdict.outcome for verdict in verdicts] == ["pass", "fail", "pass"]


@pytest.mark.parametrize("index", ["exact", "hnsw"])
def test_batches_do_not_matter(tiny: dict[str, Any], index: str):
    if index == "hnsw":
        pytest.importorskip("usearch", reason="needs the extra `semantic`")
    words = ("how", "do", "i", "cook", "rice", "boil", "a", "map", "new", "")
    texts = asked(*(f"{x} {y} {z}" for x in words for y in words[::3] for z in words[::2]))

    said = [
        in_batches(made("semantic_duplicates", **tiny, index=index), texts, size)
        for size in (1, 7, len(texts))
    ]

    assert said[0] == said[1] == said[2]
    assert {"pass", "fail", "abstain"} <= {outcome for outcome, _ in said[0]}


def in_batches(verifier: Verifier, texts: Sequence[Record], size: int) -> list[tuple[str, Any]]:
    verdicts = [
        verdict
        for start in range(0, len(texts), size)
        for verdict in verifier.judge(texts[start : start + size])
    ]
    return [(verdict.outcome, verdict.evidence) for verdict in verdicts]


@pytest.mark.parametrize("embedding", ["static", "model2vec:some/model"])
def test_only_what_was_calibrated_comes_with_a_threshold(embedding: str):
    with pytest.raises(ValidationError, match="wants `threshold` for the embedding"):
        made("semantic_duplicates", embedding=embedding)


def test_the_pairs_are_many_and_balanced_and_none_is_there_twice():
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()]
    texts = [row[side] for row in rows for side in ("one", "other")]

    assert len(rows) >= 300
    assert len(set(texts)) == len(texts)
    assert sum(row["same"] for row in rows) * 2 == len(rows)
    assert len({row["domain"] for row in rows}) == 8


def test_with_the_default_most_labelled_pairs_are_judged_as_people_did():
    minilm()
    rows = [json.loads(line) for line in PAIRS.read_text("utf-8").splitlines()][::5]

    judged = [
        judge("semantic_duplicates", asked(row["one"], row["other"]))[-1].outcome == "fail"
        for row in rows
    ]

    right = [row["same"] for row, joined in zip(rows, judged, strict=True) if joined]
    assert sum(right) / len(right) >= 0.85
    assert sum(right) / sum(row["same"] for row in rows) >= 0.6
