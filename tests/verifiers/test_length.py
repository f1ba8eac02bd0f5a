"""Lengths: options that make no sense are refused, tokens are those of the named tokenizer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.plugins import find
from synth.testing import VerifierContract, judge, record

WORDS_ONLY = {
    "version": "1.0",
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "hello": 1}, "unk_token": "[UNK]"},
    "pre_tokenizer": {"type": "WhitespaceSplit"},
    "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
}


class TestContract(VerifierContract):
    verifier = "length"
    options: ClassVar = {"min_words": 2, "max_characters": 20}
    must_pass: ClassVar = ["Two words.", "a b c"]
    must_fail: ClassVar = ["", "One.", "a b c d e f g h i j k"]
    must_abstain: ClassVar = [record(None), []]


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    pytest.importorskip("tokenizers")
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(WORDS_ONLY))
    return file


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "at least one bound of min_words, max_words"),
        ({"min_words": 5, "max_words": 3}, "wants min_words ≤ max_words, got 5 and 3"),
        ({"max_tokens": 5}, "need `tokenizer`"),
        ({"min_words": -1}, "greater than or equal to 0"),
        ({"max_words": 1, "tokenizer": "nowhere"}, "no file or folder 'nowhere'"),
        ({"max_word": 1}, "Extra inputs are not permitted"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge("length", ["Hello."], **options)


def test_a_verdict_shows_what_was_counted():
    [verdict] = judge("length", ["Two words."], min_words=3)

    assert verdict.reason == "too_short: 2 words, wants at least 3"
    assert verdict.evidence == {"words": 2, "characters": 10}


def test_tokens_are_counted_by_the_named_tokenizer_without_its_own_limit(tokenizer: Path):
    [verdict] = judge("length", ["hello hello hello"], max_tokens=2, tokenizer=tokenizer)

    assert verdict.reason == "too_long: 3 tokens, wants at most 2"
    assert verdict.evidence == {"words": 3, "characters": 17, "tokens": 3}


def test_a_tokenizer_may_be_named_by_its_folder(tokenizer: Path):
    [verdict] = judge("length", ["hello"], max_tokens=2, tokenizer=tokenizer.parent)

    assert verdict.outcome == "pass"


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path):
    with pytest.raises(ValidationError, match=r"no tokenizer\.json in the folder"):
        judge("length", ["hello"], max_tokens=2, tokenizer=tmp_path)


def test_without_the_package_tokenizers_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "tokenizer.json").write_text("{}")
    monkeypatch.setitem(sys.modules, "tokenizers", None)

    with pytest.raises(ValidationError, match="pip install tokenizers"):
        judge("length", ["hello"], max_tokens=2, tokenizer=tmp_path)


def test_the_key_of_verdicts_follows_what_the_tokenizer_says_not_where_it_lies(
    tokenizer: Path, tmp_path: Path
):
    cls = find("verifiers", "length").cls
    moved = tmp_path / "elsewhere.json"
    moved.write_bytes(tokenizer.read_bytes())
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps({**WORDS_ONLY, "truncation": None}))

    here, there, other = (
        cls(max_tokens=2, tokenizer=file).model_dump_json() for file in (tokenizer, moved, changed)
    )

    assert here == there
    assert here != other


@given(st.text(), st.integers(0, 5))
def test_a_text_is_too_short_or_too_long_or_neither(text: str, bound: int):
    [short] = judge("length", [text], min_words=bound)
    [long] = judge("length", [text], max_words=bound)

    failed = [verdict for verdict in (short, long) if verdict.outcome == "fail"]
    assert len(failed) == (len(text.split()) != bound)
