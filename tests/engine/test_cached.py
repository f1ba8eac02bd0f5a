"""What is paid for once is never paid for again, and what was never answered is not kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, EngineIdentity, Origin, Prompted, Sampling, Text
from synth.engine.cached import CachedEngine
from synth.engine.http import HttpEngine
from synth.engine.reply import Usage
from synth.engine.scripted import ScriptedEngine
from synth.errors import Outage
from synth.record import Message
from synth.store.calls import Store
from tests.running import numbering, saying

ORIGIN = Origin("3fa9", "draft", "reply", 0, (0,))
HELLO = Chat((Message(role="user", content="Hello"),))
SAMPLING = Sampling(temperature=0.8, max_tokens=9, seed=7)


class Named(ScriptedEngine):
    """A scripted engine with another identity, and one that embeds."""

    revision: str = "main"

    def __init__(self, **options: Any) -> None:
        super().__init__(lambda _prompt, _sampling, _origin: "answer", **options)

    @property
    def identity(self) -> EngineIdentity:
        """Return model and revision."""
        return EngineIdentity("named", self.model, self.revision)

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return the length of each text."""
        self._calls += 1
        return [[len(text) / 3, -0.0] for text in texts]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncGenerator[Store, None]:
    async with Store(tmp_path / "store.sqlite") as opened:
        yield opened


async def test_the_same_call_is_answered_from_the_store(store: Store):
    engine = numbering()
    first = await CachedEngine(engine, store).complete(HELLO, SAMPLING, ORIGIN)
    cached = CachedEngine(engine, store)

    again = await cached.complete(HELLO, SAMPLING, ORIGIN)

    assert again == first
    assert engine.calls == 1
    assert (cached.tally.from_store, cached.tally.made) == (1, 0)


@pytest.mark.parametrize(
    ("prompt", "sampling", "origin"),
    [
        (Chat((Message(role="user", content="Hello "),)), SAMPLING, ORIGIN),
        (Chat((Message(role="system", content="Hello"),)), SAMPLING, ORIGIN),
        (Text("Hello"), SAMPLING, ORIGIN),
        (HELLO, SAMPLING.model_copy(update={"seed": 8}), ORIGIN),
        (HELLO, SAMPLING.model_copy(update={"temperature": 0.9}), ORIGIN),
        (HELLO, SAMPLING.model_copy(update={"prefill": "Well"}), ORIGIN),
        (HELLO, SAMPLING.model_copy(update={"json_schema": {"type": "object"}}), ORIGIN),
        (HELLO, SAMPLING, replace(ORIGIN, record_id="3fb0")),
        (HELLO, SAMPLING, replace(ORIGIN, stage="final")),
        (HELLO, SAMPLING, replace(ORIGIN, step="critique")),
        (HELLO, SAMPLING, replace(ORIGIN, sample=1)),
    ],
)
async def test_another_prompt_sampling_or_origin_is_another_call(
    store: Store, prompt: Prompted, sampling: Sampling, origin: Origin
):
    engine = numbering()
    cached = CachedEngine(engine, store)
    first = await cached.complete(HELLO, SAMPLING, ORIGIN)

    other = await cached.complete(prompt, sampling, origin)

    assert other != first
    assert engine.calls == 2


async def test_where_a_record_stands_in_the_run_is_no_other_call(store: Store):
    engine = numbering()
    cached = CachedEngine(engine, store)
    await cached.complete(HELLO, SAMPLING, ORIGIN)

    await cached.complete(HELLO, SAMPLING, replace(ORIGIN, position=(5,)))

    assert engine.calls == 1


@pytest.mark.parametrize("other", [Named(model="larger"), Named(revision="v2")])
async def test_another_identity_is_another_call(store: Store, other: Named):
    await CachedEngine(Named(), store).complete(HELLO, SAMPLING, ORIGIN)

    await CachedEngine(other, store).complete(HELLO, SAMPLING, ORIGIN)

    assert other.calls == 1


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"url": "http://other:9000/v1"}, True),
        ({"at_once": 7}, True),
        ({"timeout_s": 5.0}, True),
        ({"tries": 2}, True),
        ({"give_up_after_s": 1.0}, True),
        ({"model": "larger"}, False),
    ],
)
def test_an_http_engine_is_who_it_is_wherever_it_stands(change: dict[str, Any], same: bool):
    options = {"url": "http://one:8000/v1", "model": "small"}

    before = HttpEngine.model_validate(options).identity
    after = HttpEngine.model_validate({**options, **change}).identity

    assert (after == before) is same


async def test_everything_about_a_completion_is_kept(store: Store):
    whole = Completion(
        "Ünïcode 🔑 \x00\u2028",
        "length",
        reasoning="Hm.",
        tool_calls=({"id": "1", "function": {"name": "add", "arguments": "{}"}},),
        top_logprobs=((("a", -0.1), ("b", -2.5)), (("c", -1e-9),)),
        usage=Usage(3, 5),
        seconds=1.5,
    )
    await CachedEngine(saying(whole), store).complete(HELLO, SAMPLING, ORIGIN)

    kept = await CachedEngine(saying("never asked"), store).complete(HELLO, SAMPLING, ORIGIN)

    assert kept == whole


async def test_text_that_is_no_unicode_is_cleaned_before_anybody_sees_it(store: Store):
    broken = Completion("half a key: \ud83d!", reasoning="\udc00", usage=Usage(3, 5), seconds=1.5)

    first = await CachedEngine(saying(broken), store).complete(HELLO, SAMPLING, ORIGIN)

    kept = await CachedEngine(saying("never asked"), store).complete(HELLO, SAMPLING, ORIGIN)
    assert (first.text, first.reasoning) == ("half a key: \ufffd!", "\ufffd")
    assert first.seconds == 1.5
    assert kept == first


async def test_a_call_that_failed_is_not_kept(store: Store):
    def fail(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        raise Outage("server_error: 503")

    failing = CachedEngine(ScriptedEngine(fail), store)
    with pytest.raises(Outage):
        await failing.complete(HELLO, SAMPLING, ORIGIN)

    answer = await CachedEngine(saying("answer"), store).complete(HELLO, SAMPLING, ORIGIN)

    assert answer.text == "answer"
    assert failing.tally.made == 0


async def test_log_probabilities_are_kept(store: Store):
    engine = saying('{"tokens": ["Hel", "lo"], "logprobs": [-0.5, -1e-7], "before": 7}')
    first = await CachedEngine(engine, store).logprobs(HELLO, "Hello", ORIGIN)

    again = await CachedEngine(engine, store).logprobs(HELLO, "Hello", ORIGIN)

    assert again == first
    assert (again.logprobs, again.before) == ((-0.5, -1e-7), 7)
    assert engine.calls == 1


async def test_another_continuation_or_length_is_another_call(store: Store):
    engine = saying('{"tokens": ["a"], "logprobs": [-0.5]}')
    cached = CachedEngine(engine, store)

    await cached.logprobs(HELLO, "Hello", ORIGIN)
    await cached.logprobs(HELLO, "Bye", ORIGIN)
    await cached.logprobs(HELLO, "Bye", ORIGIN, cut_at=9)

    assert engine.calls == 3


async def test_what_a_head_says_is_kept(store: Store):
    engine = saying("[0.25, -3e-9]")
    first = await CachedEngine(engine, store).classify(HELLO, ORIGIN)

    again = await CachedEngine(engine, store).classify(HELLO, ORIGIN)

    assert again == first == (0.25, -3e-9)
    assert engine.calls == 1


async def test_equal_text_to_score_is_one_call_whoever_asks(store: Store):
    engine = saying('{"tokens": ["a"], "logprobs": [-0.5]}')
    cached = CachedEngine(engine, store)

    await cached.logprobs(HELLO, "Hello", ORIGIN)
    await cached.logprobs(HELLO, "Hello", replace(ORIGIN, record_id="3fb0"))

    assert engine.calls == 1


async def test_vectors_are_kept(store: Store):
    engine = Named()
    first = await CachedEngine(engine, store).embed(["a", "four"], ORIGIN)

    again = await CachedEngine(engine, store).embed(["a", "four"], ORIGIN)

    assert again == first == [[1 / 3, -0.0], [4 / 3, -0.0]]
    assert engine.calls == 1


async def test_the_store_says_who_asked_what_and_what_it_cost(store: Store, tmp_path: Path):
    import sqlite3

    completion = Completion("answer", usage=Usage(3, 5), seconds=0.25)
    await CachedEngine(saying(completion), store).complete(HELLO, SAMPLING, ORIGIN)

    with sqlite3.connect(tmp_path / "store.sqlite") as read:
        row = read.execute(
            "SELECT engine, model, record_id, stage, step, sample, prompt, prompt_tokens, "
            "completion_tokens, finish_reason, seconds FROM calls"
        ).fetchone()
    read.close()
    assert row[:6] == ("scripted", "scripted", "3fa9", "draft", "reply", 0)
    assert row[6] == '{"messages":[{"content":"Hello","role":"user"}]}'
    assert row[7:] == (3, 5, "stop", 0.25)


async def test_progress_counts_what_was_made_and_what_was_found(store: Store):
    cached = CachedEngine(saying(Completion("answer", usage=Usage(3, 5))), store)

    await cached.complete(HELLO, SAMPLING, ORIGIN)
    await cached.complete(HELLO, SAMPLING, ORIGIN)

    tally = cached.tally
    assert (tally.made, tally.from_store, tally.completion_tokens) == (1, 1, 5)
