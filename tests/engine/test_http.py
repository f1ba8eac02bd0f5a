"""The http engine against real servers: what it asks, and what its options mean."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Origin, Sampling, Text
from synth.engine.http import HttpEngine
from synth.errors import CallFailed, EngineRefused, InputError
from synth.frozen import validated
from synth.record import Message

HELLO = Chat((Message(role="user", content="Hello"),))
ORIGIN = Origin("record", "respond")
GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1},
}


async def ask(
    *urls: str, prompt: Chat | Text = HELLO, sampling: Sampling | None = None, **options: Any
) -> Completion:
    engine = HttpEngine(urls=urls, model="m", **options)
    await engine.start()
    try:
        return await engine.complete(prompt, sampling or Sampling(), ORIGIN)
    finally:
        await engine.close()


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


async def test_a_chat_is_asked_and_answered(serve: Any):
    server = await serve(GOOD)

    completion = await ask(server.url)

    assert (completion.text, completion.usage.prompt_tokens) == ("Hi.", 2)
    assert completion.seconds > 0
    assert server.asked[0].path == "/v1/chat/completions"
    assert server.asked[0].body == {"model": "m", "messages": list(HELLO.messages)}


async def test_raw_text_goes_to_the_completions(serve: Any):
    server = await serve({"choices": [{"text": " upon", "finish_reason": "length"}]})

    completion = await ask(server.url, prompt=Text("Once"))

    assert (completion.text, completion.finish_reason) == (" upon", "length")
    assert server.asked[0].path == "/v1/completions"


async def test_the_extra_body_is_sent_with_every_call(serve: Any):
    server = await serve(GOOD)

    await ask(server.url, extra_body={"chat_template_kwargs": {"enable_thinking": False}})

    assert server.asked[0].body["chat_template_kwargs"] == {"enable_thinking": False}


async def test_equal_samplings_differ_by_their_seed_alone(serve: Any):
    server = await serve(GOOD)
    engine = HttpEngine(url=server.url, model="m")
    await engine.start()

    for seed in (1, 2):
        await engine.complete(HELLO, Sampling(temperature=1, seed=seed), ORIGIN)
    await engine.complete(HELLO, Sampling(temperature=0, seed=2), ORIGIN)
    await engine.close()

    asked = [(request.body["temperature"], request.body["seed"]) for request in server.asked]
    assert asked == [(1, 1), (1, 2), (0, 2)]


async def test_the_seed_is_kept_from_a_server_that_refuses_it(serve: Any):
    server = await serve(GOOD)
    engine = HttpEngine(url=server.url, model="m", send_seed=False)
    await engine.start()

    await engine.complete(HELLO, Sampling(seed=1), ORIGIN)
    await engine.close()

    assert "seed" not in server.asked[0].body


async def test_what_cannot_be_asked_fails_its_call():
    with pytest.raises(CallFailed, match="tools_need_a_chat"):
        await ask("http://127.0.0.1:9", prompt=Text("a"), sampling=Sampling(tools=({},)))


# The key


async def test_the_key_of_the_environment_is_sent(serve: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_KEY", "sk-secret\n")
    server = await serve(GOOD)

    await ask(server.url, api_key_env="A_KEY")

    assert server.asked[0].headers["Authorization"] == "Bearer sk-secret"


async def test_a_missing_key_is_an_input_error_that_names_the_variable():
    with pytest.raises(InputError, match="'NO_SUCH_KEY'"):
        await ask("http://127.0.0.1:9", api_key_env="NO_SUCH_KEY")


async def test_the_key_is_shown_nowhere(serve: Any, answer: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("A_KEY", "sk-secret")
    refusal = {"error": {"message": "Incorrect API key: sk-secret"}}
    server = await serve(answer(refusal, status=401))
    engine = HttpEngine(url=server.url, model="m", api_key_env="A_KEY")
    await engine.start()

    with pytest.raises(EngineRefused) as raised:
        await engine.complete(HELLO, Sampling(), ORIGIN)
    await engine.close()

    shown = f"{raised.value!r} {engine!r} {engine.model_dump_json()} {engine.identity}"
    assert "sk-secret" not in shown
    assert "api_key_env" in str(raised.value)


# Options


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("http://h:8000/v1/", "http://h:8000/v1"),
        ("https://h/api/v3/chat/completions", "https://h/api/v3"),
    ],
)
def test_addresses_are_brought_into_one_form(given: str, used: str):
    assert HttpEngine(url=given, model="m").url == used


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "wants `url` or `urls`"),
        ({"url": "http://a", "urls": ["http://b"]}, "wants `url` or `urls`"),
        ({"url": "127.0.0.1:8000"}, "wants an address like"),
        ({"url": "http://me:secret@h"}, "api_key_env"),
        ({"url": "http://h/v1?key=secret"}, "api_key_env"),
        ({"url": "http://h", "extra_body": {"stream": True}}, "stream cannot be set here"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], complaint: str):
    with pytest.raises(ValidationError, match=complaint):
        HttpEngine.model_validate({"model": "m", **options})


def test_the_identity_knows_what_changes_replies_and_nothing_else(tmp_path: Path):
    (tmp_path / "template.jinja").write_text("{{ messages[0].content }}")

    def identity(**options: Any) -> str:
        made = validated(HttpEngine, {"model": "m", **options}, folder=tmp_path)
        return made.identity.canonical()

    plain = identity(url="http://a")

    assert identity(urls=["http://b"], at_once=3, timeout_s=5, api_key_env="A_KEY") == plain
    assert len({plain, identity(url="http://a", revision="2"),
                identity(url="http://a", chat_template="template.jinja"),
                identity(url="http://a", extra_body={"a": 1})}) == 4  # fmt: skip


def test_a_template_counts_by_what_it_says_not_by_where_it_lies(tmp_path: Path):
    identities: set[str] = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "chat_template.jinja").write_text("{{ messages[0].content }}")
        (folder / f"{name}.safetensors").write_text("weights do not count")
        options = {"model": "m", "url": "http://a", "chat_template": name}
        made = validated(HttpEngine, options, folder=tmp_path)
        identities.add(made.identity.canonical())

    assert len(identities) == 1
