"""Which tokens of a scored text are its continuation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.engine import scoring
from synth.errors import CallFailed

PROMPT_LOGPROBS, ECHO = scoring.WAYS


def after(prompt: str, continuation: str, *tokens: str) -> tuple[str, ...]:
    """Return the tokens found for `continuation`, numbered downwards as log-probabilities."""
    scored = [(token, -float(number)) for number, token in enumerate(tokens)]
    text = prompt + continuation
    found = scoring.continuation(scored, text, len(prompt))
    numbers = range(len(tokens) - len(found.tokens), len(tokens))
    assert found.logprobs == tuple(-float(number) for number in numbers)
    return found.tokens


def test_tokens_after_the_border_are_the_continuations():
    assert after("Two and", " two is four", "Two", " and", " two", " is", " four") == (
        " two",
        " is",
        " four",
    )


def test_a_token_that_straddles_the_border_counts():
    assert after("if x:", "\n  y", "if", " x", ":\n", "  ", "y") == (":\n", "  ", "y")


def test_pieces_of_one_character_all_count():
    assert after("A ", "😀!", "A", " ", "\ufffd", "\ufffd", "\ufffd", "!") == (
        "\ufffd",
        "\ufffd",
        "\ufffd",
        "!",
    )


def test_pieces_before_the_border_do_not_count():
    assert after("😀 A", " b", "\ufffd", "\ufffd", " A", " b") == (" b",)


def test_a_piece_may_be_joined_to_whole_characters():
    assert after("A", "b😀c", "A", "b\ufffd", "\ufffdc") == ("b\ufffd", "\ufffdc")


def test_tokens_that_show_nothing_belong_to_the_character_after_them():
    assert after("A", "你b", "A", "", "", "你", "b") == ("", "", "你", "b")
    assert after("你", "b", "", "", "你", "b") == ("b",)


def test_a_space_before_the_border_does_not_count_with_pieces_after_it():
    assert after("A ", "😀", "A", " ", "\ufffd", "\ufffd") == ("\ufffd", "\ufffd")


def test_spaces_that_a_tokenizer_swallows_are_no_hindrance():
    assert after("Two and", " two is", "Two", "and", "two", "is") == ("two", "is")
    assert after("A:", " b", "A", ":", "b") == ("b",)


def test_sentencepiece_marks_are_spaces():
    assert after("Two", " and", "\u2581Two", "\u2581and") == ("\u2581and",)


@pytest.mark.parametrize("pieces", [("<0x0A>",), ("bytes:\\xe2", "bytes:\\x80"), ("",)])
def test_opaque_tokens_within_the_continuation_count(pieces: tuple[str, ...]):
    tokens = ("A", "b", *pieces, "c")

    assert after("A", "b\nc", *tokens) == ("b", *pieces, "c")


def test_the_first_token_of_all_has_no_logprob_and_is_left_out():
    scored = [("", None), (" two", -1.0)]

    assert scoring.continuation(scored, "One two", 0).tokens == (" two",)


def test_a_special_token_before_the_text_is_not_of_the_text():
    assert after("", "Hello you", "<s>", "Hello", " you") == ("Hello", " you")


@pytest.mark.parametrize("tokens", [("quite", " other"), ("Two",), ()])
def test_tokens_of_another_text_fail_the_call(tokens: tuple[str, ...]):
    with pytest.raises(CallFailed, match="misaligned_tokens"):
        after("Two and", " two is", *tokens)


@given(st.lists(st.text(min_size=1, max_size=5), max_size=12), st.integers(0, 60))
def test_exact_tokens_are_always_split_at_the_border(tokens: list[str], border: int):
    text = "".join(tokens)
    border = min(border, len(text))
    ends = [len("".join(tokens[: number + 1])) for number in range(len(tokens))]

    found = scoring.continuation([(token, -1.0) for token in tokens], text, border)

    assert found.tokens == tuple(t for t, end in zip(tokens, ends, strict=True) if end > border)


def test_prompt_logprobs_are_read():
    choice: dict[str, Any] = {
        "prompt_logprobs": [
            None,
            {"17": {"logprob": -0.5, "rank": 1, "decoded_token": " a"}},
            {"18": {"logprob": -1e30, "decoded_token": None}},
        ]
    }

    assert PROMPT_LOGPROBS.read(choice, "") == [("", None), (" a", -0.5), ("", -9999.0)]


def test_an_echo_is_read():
    logprobs = {"tokens": ["One", " two"], "token_logprobs": [None, 0.001]}

    read = ECHO.read({"text": "One two", "logprobs": logprobs}, "One two")

    assert read == [("One", None), (" two", 0.0)]


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"prompt_logprobs": None},
        {"text": "generated", "logprobs": {"tokens": ["generated"], "token_logprobs": [-1.0]}},
        {"text": "One two", "logprobs": None},
        {"text": "One two", "logprobs": {"tokens": ["One"], "token_logprobs": []}},
    ],
)
def test_a_server_that_ignores_the_wish_is_noticed(choice: dict[str, Any]):
    assert [way.read(choice, "One two") for way in scoring.WAYS] == [None, None]
