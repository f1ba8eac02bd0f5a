"""Novelty: what passes joins the pool, values are ROUGE-L's, files of earlier texts count."""
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from rouge_score.rouge_scorer import RougeScorer

from synth import Record, Verdict
from synth.frozen import validated
from synth.plugins import find
from synth.testing import VerifierContract, judge, made, record

STORY = "Write a short story about a lighthouse keeper who befriends a whale."
SCORER = RougeScorer(["rougeL"], use_stemmer=False)


class TestContract(VerifierContract):
    verifier = "novelty"
    must_pass: ClassVar = [record(instruction=STORY), record(instruction="Name a river.", number=1)]
    must_fail: ClassVar = [record(instruction=STORY + " Be brief.", number=2)]
    must_abstain: ClassVar = [record(instruction=" ", number=3), record(instruction="…", number=4)]


class TestContractWithNeighbours(TestContract):
    options: ClassVar = {"neighbours": 3, "average": True, "words": "unicode"}


def asked(*instructions: str) -> list[Record]:
    return [record(instruction=text, number=number) for number, text in enumerate(instructions)]


def drawn(count: int) -> list[str]:
    """Return random texts of few words, so that many are alike."""
    rng = random.Random(5)
    words = [f"w{number}" for number in range(12)]
    return [" ".join(rng.choices(words, k=rng.randint(1, 9))) for _ in range(count)]


def against(folder: Path, *names: str, **options: Any) -> Any:
    options["against"] = list(names)
    return validated(find("verifiers", "novelty").cls, options, folder=folder)


def test_verdicts_are_those_of_the_plain_rule_and_the_official_values():
    texts, kept, wanted = drawn(150), list[tuple[str, str]](), list[Any]()
    for one in asked(*texts):
        values = [(SCORER.score(text, one.instruction)["rougeL"].fmeasure, of) for of, text in kept]
        above = [{"of": of, "f1": round(value, 6)} for value, of in values if value > 0.7]
        wanted.append(above[0] if above else None)
        kept += [] if above else [(one.id, one.instruction)]

    verdicts = judge("novelty", asked(*texts))

    assert [verdict.evidence for verdict in verdicts] == wanted
    assert 20 < len(kept) < 140


def test_neighbours_and_average_tell_more_and_change_no_outcome():
    records = asked(*drawn(150))

    plain = judge("novelty", records)
    told = judge("novelty", records, neighbours=3, average=True)

    assert [one.outcome for one in told] == [one.outcome for one in plain]
    for one, more in zip(plain, told, strict=True):
        assert one.evidence is None or one.evidence.items() <= (more.evidence or {}).items()


def test_the_evidence_lists_the_nearest_first_and_the_average_of_all():
    records = asked("a b c d", "a b x y", "p q r s", "a b c z")

    *_, verdict = judge("novelty", records, neighbours=2, average=True, threshold=0.8)

    assert verdict.score == 0.75
    assert verdict.evidence == {
        "most_similar": [{"id": records[0].id, "f1": 0.75}, {"id": records[1].id, "f1": 0.5}],
        "average": round((0.75 + 0.5) / 3, 6),
    }


def test_the_first_text_has_no_neighbours_and_no_average():
    [verdict] = judge("novelty", asked(STORY), neighbours=2, average=True)

    assert verdict == Verdict.passed(score=0.0, evidence={"most_similar": []})


def test_verdicts_are_the_same_at_any_batch_size():
    records = asked(*drawn(150), " ", "…")
    whole = judge("novelty", records)
    verifier = made("novelty")

    parts = [verifier.judge(records[start : start + 7]) for start in range(0, len(records), 7)]

    assert [verdict for part in parts for verdict in part] == whole


def test_texts_of_files_are_in_the_pool_from_the_start(tmp_path: Path):
    (tmp_path / "seeds.jsonl").write_text(
        json.dumps({"instruction": "Name a river."}) + "\n\n" + json.dumps(STORY) + "\n", "utf-8"
    )

    [verdict] = judge(against(tmp_path, "seeds.jsonl"), asked(STORY))

    assert verdict.evidence == {"of": "seeds.jsonl:3", "f1": 1.0}
    assert verdict.reason == (
        "not_novel: ROUGE-L 1.0000 with the earlier text seeds.jsonl:3; up to 0.7 passes"
    )


def test_files_may_be_parquet_with_messages_or_plain_lines(tmp_path: Path):
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": STORY}]
    pq.write_table(pa.table({"messages": [turns, None]}), tmp_path / "old.parquet")
    (tmp_path / "more.txt").write_text("\nName a river.\n", "utf-8")

    verifier = against(tmp_path, "old.parquet", "more.txt", of="reply")
    verdicts = judge(verifier, [STORY, "Name a river!", "Bake bread."])

    assert [(one.evidence or {}).get("of") for one in verdicts] == [
        "old.parquet:1",
        "more.txt:2",
        None,
    ]


def test_a_files_content_counts_for_identity_and_not_its_place(tmp_path: Path):
    for folder, text in (("one", STORY), ("same", STORY), ("other", "Name a river.")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "old.txt").write_text(text, "utf-8")

    one, same, other = (
        against(tmp_path / folder, "old.txt").model_dump(mode="json")
        for folder in ("one", "same", "other")
    )

    assert one == same != other


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "old.csv",
            "a",
            "wants texts in a file that ends in .jsonl, .parquet, .txt; got 'old.csv'",
        ),
        ("old.txt", " \n", "`against` wants a file with texts; 'old.txt' has none"),
        ("old.jsonl", "{", "wants a JSON text a line, old.jsonl:1: Expecting"),
        ("old.jsonl", "7", "in each row; old.jsonl:1 is 7"),
        ("old.jsonl", '{"messages": ["Hi"]}', "`messages` of role and content, in each row"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path: Path, name: str, content: str, said: str):
    (tmp_path / name).write_text(content, "utf-8")

    with pytest.raises(ValidationError) as refused:
        against(tmp_path, name)

    assert said in str(refused.value)


def test_stems_of_other_words_than_english_ones_are_refused():
    with pytest.raises(ValidationError, match="`stem: true` wants `words: rouge`"):
        made("novelty", stem=True, words="unicode")
