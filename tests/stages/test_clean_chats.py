"""Logs of chats become pieces of whole rounds, and each published filter says why it fired."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth import seed
from synth.record import Message, Record
from synth.stages.clean_chats import CleanChats
from synth.stages.parts.chat_turns import plain_markdown
from tests.running import services, write_lines

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}
WORDS_ONLY: dict[str, Any] = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "WhitespaceSplit"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
}


def turns(*said: str) -> list[Message]:
    """Return turns from texts that begin with `u: `, `a: ` or another role's letter."""
    return [Message(role=ROLES[text[0]], content=text[3:]) for text in said]


def chat(*said: str) -> Record:
    return Record.seed({"id": "x7"}, turns(*said))


def pieces(record: Record, **options: Any) -> list[Record]:
    return CleanChats(**options).pieces(record, "clean")


def reason_of(record: Record) -> str:
    assert record.dropped is not None
    assert (record.dropped.kind, record.dropped.by) == ("filter", "clean")
    return record.dropped.reason


async def test_a_chat_in_order_is_one_piece_with_its_fields(tmp_path: Path):
    record = chat("s: Be brief.", "u: Hi", "a: Hello.")

    async with services(tmp_path, label="clean") as given:
        [piece] = await CleanChats().apply(record, given)

    assert piece.messages == record.messages
    assert piece.fields == {"id": "x7", "piece": 1, "left_out": 0}
    assert (piece.state, piece.parents) == ("live", (record.id,))


async def test_a_record_without_a_chat_is_an_error(tmp_path: Path):
    async with services(tmp_path) as given:
        with pytest.raises(ValueError, match="nothing_to_clean: "):
            await CleanChats().apply(Record.seed({"text": "x"}), given)


def test_what_stands_before_the_user_and_after_the_assistant_is_left_out():
    [piece] = pieces(chat("a: shared page", "u: one", "a: two", "u: three"))

    assert list(piece.messages) == turns("u: one", "a: two")
    assert piece.fields["left_out"] == 2


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (("u: a", "a: b", "a: c"), "broken_turn: turn 3 is the assistant's, wanted the user's"),
        (("u: a", "u: b", "a: c"), "broken_turn: turn 2 is the user's, wanted the assistant's"),
        (("a: a", "a: b", "u: c", "a: d"), "broken_turn: turn 2 is the assistant's, wanted the"),
        (("u: a", "a:  ", "u: c", "a: d"), "broken_turn: turn 2 says nothing"),
        (("u: a", "a: <p> </p>"), "broken_turn: turn 2 says nothing"),
        (("u: a", "t: {}", "a: b"), "broken_turn: turn 2 is the tool's, wanted the assistant's"),
        (("u: a", "a: <p>" + "<div>" * 5000), "broken_turn: turn 2 cannot be read: broken_html: "),
        (("u: Hi",), "too_short: 1 turns, wants one of the user and a reply"),
        (("a: Hi", "u: Hm"), "too_short: 2 turns"),
        (("u: a", "a: I am ChatGPT."), "blocked_word: turn 2 says 'chatgpt'"),
        (("u: What is OpenAI?", "a: b"), "blocked_word: turn 1 says 'openai'"),
    ],
)
def test_each_filter_drops_the_chat_with_its_reason(said: tuple[str, ...], reason: str):
    record = chat(*said)

    [dropped] = pieces(record)

    assert reason_of(dropped).startswith(reason)
    assert (dropped.id, dropped.messages) == (record.id, record.messages)


def test_blocked_words_are_ones_own():
    record = chat("u: a", "a: As ChatGPT, STRASSE")

    assert reason_of(pieces(record, blocked=("straße",))[0]).startswith("blocked_word: turn 2")
    assert pieces(record, blocked=())[0].state == "live"
    with pytest.raises(ValidationError, match="an empty word would block every chat"):
        CleanChats(blocked=(" ",))


def test_rounds_before_a_broken_turn_can_be_kept_and_the_rest_is_told():
    record = chat("u: 1", "a: 2", "u: 3", "a: ", "u: 5", "a: 6")

    kept, rest = pieces(record, before_broken=True)

    assert (kept.state, list(kept.messages)) == ("live", turns("u: 1", "a: 2"))
    assert reason_of(rest) == "broken_turn: turn 4 says nothing"
    assert list(rest.messages) == turns("u: 3", "a: ", "u: 5", "a: 6")
    assert kept.id != rest.id


def test_a_turn_that_the_seeds_could_not_read_is_a_broken_one(tmp_path: Path):
    log = [
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello."},
        {"from": "human", "value": "And?"},
        {"from": "plugin", "value": None},
    ]
    write_lines(tmp_path / "logs.jsonl", [{"conversations": log}])
    [record] = seed.records(seed.resolve(["logs.jsonl"], tmp_path))

    [dropped] = pieces(record)
    kept, rest = pieces(record, before_broken=True)

    assert reason_of(dropped).startswith("broken_turn: unknown_role: turn 4 has the role 'plugin'")
    assert list(kept.messages) == turns("u: Hi", "a: Hello.")
    assert reason_of(rest) == reason_of(dropped)


def test_pieces_hold_whole_rounds_below_the_limit_and_lose_none():
    sizes = [30, 300, 90, 1, 600, 240, 33, 120, 9, 480, 3, 3, 3, 600]
    said = [f"{'ua'[n % 2]}: {chr(65 + n) * size}" for n, size in enumerate(sizes)]
    record = chat("s: " + "s" * 30, *said)

    made = pieces(record, max_tokens=320)

    assert [turn for piece in made for turn in piece.messages[1:]] == list(record.messages[1:])
    for piece in made:
        assert piece.messages[0] == record.messages[0]
        assert [turn["role"] for turn in piece.messages[1:3]] == ["user", "assistant"]
        assert len(piece.messages) % 2 == 1
        assert tokens(piece.messages) <= 320
    for one, after in pairwise(made):
        assert tokens((*one.messages, *after.messages[1:3])) > 320
    assert [piece.fields["piece"] for piece in made] == list(range(1, len(made) + 1))
    assert len(made) > 2


def tokens(messages: tuple[Message, ...]) -> int:
    return sum(-(-len(turn["content"].encode()) // 3) + 6 for turn in messages)


def test_a_round_beyond_the_limit_is_dropped_whole_and_its_neighbours_stay():
    record = chat("u: 1", "a: 2", "u: " + "x" * 300, "a: 4", "u: 5", "a: 6")

    before, long, after = pieces(record, max_tokens=100)

    assert reason_of(long) == "round_too_long: a round of 113 tokens, wants at most 100"
    assert long.messages == record.messages[2:4]
    assert (before.messages, after.messages) == (record.messages[:2], record.messages[4:])
    assert [piece.fields["piece"] for piece in (before, long, after)] == [1, 2, 3]


def test_a_piece_may_be_as_long_as_the_limit():
    record = chat("u: abc", "a: abc", "u: abc", "a: abc")

    assert len(pieces(record, max_tokens=28)) == 1
    assert len(pieces(record, max_tokens=27)) == 2


def test_the_system_turn_counts_in_every_piece():
    record = chat("s: abc", *("u: abc", "a: abc") * 4)

    assert [len(piece.messages) for piece in pieces(record, max_tokens=35)] == [5, 5]
    assert [len(piece.messages) for piece in pieces(record, max_tokens=34)] == [3, 3, 3, 3]


def test_tokens_are_those_of_the_tokenizer(tmp_path: Path):
    pytest.importorskip("tokenizers")
    (tmp_path / "tokenizer.json").write_text(json.dumps(WORDS_ONLY))
    stage = CleanChats.model_validate(
        {"tokenizer": ".", "max_tokens": 32}, context={"folder": tmp_path}
    )
    record = chat("u: " + "a " * 10, "a: " + "b " * 10)

    assert [piece.state for piece in stage.pieces(record, "clean")] == ["live"]
    longer = chat("u: " + "a " * 10, "a: " + "b " * 11)
    [dropped] = stage.pieces(longer, "clean")
    assert reason_of(dropped).startswith("round_too_long: a round of 33 tokens")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path):
    with pytest.raises(ValidationError, match=r"no tokenizer\.json in the folder"):
        CleanChats.model_validate({"tokenizer": "."}, context={"folder": tmp_path})


def test_html_of_a_chat_page_becomes_markdown():
    html = (
        '<div class="markdown"><p>Use <code>f_1</code>:</p><ol><li>one<ul><li>in it</li></ul></li>'
        "<li>two</li></ol><table><tr><th>a</th></tr><tr><td>1</td></tr></table>"
        '<pre><div><span>Python</span><button>Copy code</button><div><code class="hljs">'
        "def f_1(x):\n    <span>return</span> x &lt; 2\n</code></div></div></pre></div>"
    )

    [piece] = pieces(chat("u: How?", f"a: {html}"))

    assert piece.messages[1]["content"] == (
        "Use `f_1`:\n\n1. one\n   - in it\n2. two\n\n| a |\n| --- |\n| 1 |\n\n"
        "```python\ndef f_1(x):\n    return x < 2\n```"
    )


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("#include <stdio.h> if a < b && c > d", "#include <stdio.h> if a < b && c > d"),
        ("Look:\n```\npythonCopy codex = 1\n```", "Look:\n```python\nx = 1\n```"),
        ("```\nCopy code\n```\nDone.", "Done."),
        ("```\na\n```\n\n```js\nb\n```", "```\na\n```\n\n```js\nb\n```"),
        ("2 / 3\nYes.", "Yes."),
        ("It is 2 / 3.", "It is 2 / 3."),
        ("Text.Copy120 chars / 20 words", "Text."),
    ],
)
def test_what_the_page_put_into_a_turn_is_repaired_and_nothing_else(text: str, clean: str):
    assert plain_markdown(text) == clean


def test_a_long_run_of_spaces_behind_a_fence_takes_no_time():
    text = "x ```" + "\n" * 100_000 + "y"

    assert plain_markdown(text) == text


def test_turns_stay_as_they_are_where_html_is_the_subject():
    record = chat("u: Why is <div> not closed?", "a: Write <p>x</p>.")

    assert pieces(record, html=False)[0].messages == record.messages


def test_a_turn_of_spaces_says_nothing_with_and_without_html():
    record = chat("u: a", "a: \n ")

    for html in (True, False):
        assert reason_of(pieces(record, html=html)[0]) == "broken_turn: turn 2 says nothing"
