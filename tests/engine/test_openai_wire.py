"""What is sent for a question, and what is read from a reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synth.engine import openai_wire as wire
from synth.engine.base import Chat, Completion, Sampling, Text
from synth.engine.reply import Usage
from synth.record import Message

HELLO = Chat((Message(role="user", content="Hello"),))


SAID = {"role": "assistant", "content": "a"}


def sent(prompt: Chat | Text, sampling: Sampling, **extra: Any) -> dict[str, Any]:
    constant = wire.constant_part("m", sampling, extra, chat=isinstance(prompt, Chat))
    return json.loads(wire.body(constant, prompt, sampling))


def replied(**choice: Any) -> dict[str, Any]:
    return {"choices": [choice]}


def read(reply: Any, sampling: Sampling | None = None, *, chat: bool = True) -> Completion:
    return wire.completion(reply, sampling or Sampling(), chat=chat)


def test_what_is_not_set_is_not_sent():
    body = sent(HELLO, Sampling())

    assert body == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_every_plain_setting_is_sent_under_its_name():
    settings = {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": -1,
        "min_p": 0.1,
        "frequency_penalty": 0.2,
        "presence_penalty": -0.2,
        "repetition_penalty": 1.1,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "stop_token_ids": [1, 2],
        "seed": 0,
        "logit_bias": {"5": -100.0},
    }

    body = sent(HELLO, Sampling.model_validate(settings))

    assert {name: body[name] for name in settings} == settings


def test_raw_text_is_a_prompt_and_keeps_the_tokenizers_own_tokens_unless_told_not_to():
    plain = sent(Text("Once"), Sampling())
    rendered = sent(Text("Once", add_special_tokens=False), Sampling())

    assert plain == {"model": "m", "prompt": "Once"}
    assert rendered == {"model": "m", "prompt": "Once", "add_special_tokens": False}


def test_token_ids_are_sent_as_a_list():
    assert sent(Text((1, 2, 3)), Sampling())["prompt"] == [1, 2, 3]


def test_a_schema_becomes_a_strict_response_format():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}

    body = sent(HELLO, Sampling.model_validate({"json_schema": schema}))

    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert body["response_format"]["json_schema"]["strict"] is True


def test_alternatives_are_asked_differently_of_chats_and_of_texts():
    wanted = Sampling(top_logprobs=3)

    assert (sent(HELLO, wanted)["logprobs"], sent(HELLO, wanted)["top_logprobs"]) == (True, 3)
    assert sent(Text("a"), wanted)["logprobs"] == 3


def test_a_prefill_is_an_assistant_turn_that_the_server_continues():
    body = sent(HELLO, Sampling(prefill="Sure:"))

    assert body["messages"][-1] == {"role": "assistant", "content": "Sure:"}
    assert body["continue_final_message"] is True
    assert body["add_generation_prompt"] is False


def test_a_prefill_follows_raw_text_but_not_token_ids():
    assert sent(Text("Q: "), Sampling(prefill="A:"))["prompt"] == "Q: A:"
    with pytest.raises(ValueError, match="prefill_after_ids"):
        sent(Text((1, 2)), Sampling(prefill="A:"))


def test_raw_text_cannot_call_tools():
    with pytest.raises(ValueError, match="tools_need_a_chat"):
        sent(Text("a"), Sampling(tools=({"type": "function"},)))


def test_tools_are_sent_with_a_chat():
    assert sent(HELLO, Sampling(tools=({"type": "function"},)))["tools"] == [{"type": "function"}]


def test_the_extra_body_has_the_last_word():
    body = sent(HELLO, Sampling(temperature=1), temperature=0.5, chat_template_kwargs={"a": 1})

    assert body["temperature"] == 0.5
    assert body["chat_template_kwargs"] == {"a": 1}


def test_past_reasoning_is_not_sent():
    thought = Message(role="assistant", content="4", reasoning="2 + 2")

    body = sent(Chat((*HELLO.messages, thought)), Sampling())

    assert body["messages"][1] == {"role": "assistant", "content": "4"}


@pytest.mark.parametrize(
    ("sent_reason", "reason"),
    [
        ("stop", "stop"),
        ("eos_token", "stop"),
        ("length", "length"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("novel", "unknown"),
        (None, "unknown"),
        ([], "unknown"),
    ],
)
def test_finish_reasons_are_mapped_to_ours(sent_reason: Any, reason: str):
    reply = replied(message={"role": "assistant", "content": "a"}, finish_reason=sent_reason)

    assert read(reply).finish_reason == reason


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_reply_that_the_server_broke_off_is_none(reason: str):
    with pytest.raises(wire.UnreadableError, match="broken_off"):
        read(replied(message={"role": "assistant", "content": "a"}, finish_reason=reason))


def test_text_usage_and_reasoning_are_read():
    message = {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}
    reply = {
        **replied(message=message, finish_reason="stop"),
        "usage": {"prompt_tokens": 3, "completion_tokens": 1},
    }

    assert read(reply) == Completion("4", reasoning="2 + 2", usage=Usage(3, 1))


def test_usage_may_be_absent_or_null():
    message = {"role": "assistant", "content": "4", "reasoning": ""}
    reply = {**replied(message=message, finish_reason="stop"), "usage": None}

    assert read(reply) == Completion("4")


def test_a_reply_of_tool_calls_alone_has_empty_text():
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}

    completion = read(replied(message=message, finish_reason="tool_calls"))

    assert (completion.text, completion.tool_calls) == ("", tuple(calls))


def test_the_text_begins_with_the_prefill():
    reply = replied(message={"role": "assistant", "content": " yes"}, finish_reason="stop")

    assert read(reply, Sampling(prefill="Sure:")).text == "Sure: yes"


def test_alternatives_of_a_chat_come_likeliest_first():
    top = [{"token": "b", "logprob": -2}, {"token": "a", "logprob": -0.5}]
    message = {"role": "assistant", "content": "a"}
    reply = replied(message=message, logprobs={"content": [{"top_logprobs": top}]})

    completion = read(reply, Sampling(top_logprobs=2))

    assert completion.top_logprobs == ((("a", -0.5), ("b", -2.0)),)


@pytest.mark.parametrize("more", [{}, {"logprobs": None}])
def test_a_server_that_ignores_the_question_for_logprobs_gives_none(more: dict[str, Any]):
    chat = read(replied(message=SAID, **more), Sampling(top_logprobs=2))
    text = read(replied(text="a", **more), Sampling(top_logprobs=2), chat=False)

    assert (chat.top_logprobs, text.top_logprobs) == (None, None)


def test_an_empty_reply_has_no_places_with_logprobs():
    completion = read(replied(message=SAID, logprobs={"content": []}), Sampling(top_logprobs=2))

    assert completion.top_logprobs == ()


def test_alternatives_of_a_text_come_likeliest_first():
    reply = replied(text="a", logprobs={"top_logprobs": [None, {"b": -2.0, "a": -0.5}]})

    completion = read(reply, Sampling(top_logprobs=2), chat=False)

    assert completion.top_logprobs == ((), (("a", -0.5), ("b", -2.0)))


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {},
        {"choices": []},
        {"choices": [None]},
        {"choices": "x"},
        {"error": {"message": "overloaded"}},
        replied(message=None),
        replied(message="text"),
        replied(text="a text is no chat"),
    ],
)
def test_what_is_no_completion_is_unreadable(reply: Any):
    with pytest.raises(wire.UnreadableError, match=r"no_choices|no_text"):
        read(reply)


def test_alternatives_without_a_token_are_unreadable():
    message = {"role": "assistant", "content": "a"}
    reply = replied(message=message, logprobs={"content": [{"top_logprobs": [{}]}]})

    with pytest.raises(wire.UnreadableError, match="no_logprobs"):
        read(reply, Sampling(top_logprobs=1))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (rb'["a\ud800b"]', ["a\ufffdb"]),
        (rb'{"\udfff": [{"b": "\uD83D"}]}', {"\ufffd": [{"b": "\ufffd"}]}),
        (rb'["\ud83d\ude00"]', ["\U0001f600"]),
        (b'["\xff\xed\xa0\x80"]', ["\ufffd" * 4]),
    ],
)
def test_whatever_is_received_becomes_valid_unicode(raw: bytes, value: Any):
    assert wire.decoded(raw) == value


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"choices": [', b"[" * 100_000])
def test_what_is_no_json_is_unreadable(raw: bytes):
    with pytest.raises(wire.UnreadableError, match="not_json"):
        wire.decoded(raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error": {"message": "too long"}}', "too long"),
        (b'{"error": "too long"}', "too long"),
        (b'{"object": "error", "message": "too\\n long"}', "too long"),
        (b'{"detail": "Not Found"}', "Not Found"),
        (b"<html>\n  oh", "<html> oh"),
        (b"x" * 300, "x" * 200),
    ],
)
def test_a_servers_error_is_quoted_on_one_line(raw: bytes, message: str):
    assert wire.error_message(raw) == message


def test_vectors_come_in_the_order_asked():
    data = [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]

    assert wire.vectors({"data": data}, 2) == [[1.0], [2.0]]
    with pytest.raises(wire.UnreadableError, match="no_vectors"):
        wire.vectors({"data": data}, 3)


@pytest.mark.parametrize(
    "vector",
    [None, [], "AAAA", [None, 1.0], ["a"], [[1.0]], [float("nan")], [1e999, 1.0], [10**400]],
)
def test_what_is_no_vector_of_finite_numbers_is_unreadable(vector: Any):
    with pytest.raises(wire.UnreadableError, match="no_vectors: wanted `data` with 1 embeddings"):
        wire.vectors({"data": [{"index": 0, "embedding": vector}]}, 1)
