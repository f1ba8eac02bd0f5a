"""Patience: what waits, what is given up, what stops the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling, Text
from synth.engine.patient import PatientEngine
from synth.engine.reply import Usage
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, EngineDown, EngineRefused, Outage
from synth.record import Message

SAMPLING = Sampling()


def origin(name: str) -> Origin:
    return Origin(name, "respond")


def chat(text: str) -> Chat:
    return Chat((Message(role="user", content=text),))


def patient(script: Callable[[Prompted, Sampling, Origin], Any], **options: Any) -> PatientEngine:
    quick: dict[str, Any] = {
        "first_wait_s": 0.01,
        "longest_wait_s": 0.04,
        "give_up_after_s": 60.0,
        **options,
    }
    return PatientEngine(ScriptedEngine(script), **quick)


async def ask(engine: PatientEngine, name: str) -> str:
    return (await engine.complete(chat(name), SAMPLING, origin(name))).text


class Failing:
    """A script that fails `times` times for each record in `names`, then answers with its name."""

    def __init__(self, failure: Exception, *names: str, times: int = 10**9) -> None:
        self.failure = failure
        self.names = names
        self.left = dict.fromkeys(names, times)
        self.asked: list[str] = []

    def __call__(self, _prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        name = origin.record_id
        self.asked.append(name)
        if self.left.get(name, 0) > 0:
            self.left[name] -= 1
            raise self.failure
        return name


def in_turn(*outcomes: Exception | str) -> Callable[[Prompted, Sampling, Origin], str]:
    """Return a script with one outcome for each request, the canary's included."""
    left = list(outcomes)

    def script(_prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return script


async def test_a_call_that_fails_is_tried_again():
    script = Failing(Outage("http_500: oh"), "a", times=3)

    assert await ask(patient(script), "a") == "a"
    assert script.asked == ["a"] * 4


@pytest.mark.parametrize(
    "failure",
    [CallFailed("refused_request: too long"), EngineRefused("a wrong key"), KeyError("x")],
)
async def test_what_will_not_pass_is_not_tried_again(failure: Exception):
    script = Failing(failure, "a")

    with pytest.raises(type(failure)):
        await ask(patient(script), "a")

    assert script.asked == ["a"]


async def test_a_call_is_given_up_when_it_alone_keeps_failing():
    engine = patient(Failing(Outage("http_500: oh"), "bad"), tries=3)

    async def others() -> None:
        while True:
            await ask(engine, "good")
            await asyncio.sleep(0.001)

    meanwhile = asyncio.create_task(others())
    with pytest.raises(CallFailed, match=r"^http_500: oh \(tried 3 times") as raised:
        await ask(engine, "bad")
    meanwhile.cancel()

    assert not isinstance(raised.value, Outage)


async def test_the_only_call_is_given_up_when_a_canary_is_answered():
    script = Failing(Outage("timeout: no reply within 1 s"), "bad")

    with pytest.raises(CallFailed, match="timeout"):
        await ask(patient(script, tries=2), "bad")

    assert script.asked == ["bad", "bad", ""]


async def test_the_canary_asks_what_the_call_asked():
    asked: list[Prompted] = []

    def script(prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        asked.append(prompt)
        if origin.record_id:
            raise Outage("http_500: oh")
        return "Hi"

    with pytest.raises(CallFailed):
        await patient(script, tries=1).complete(Text("Once"), SAMPLING, origin("bad"))

    assert [type(prompt) for prompt in asked] == [Text, Text]


async def test_a_canary_that_is_refused_shows_that_the_server_answers():
    def script(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        raise Outage("http_500: oh") if origin.record_id else CallFailed("refused_request: no chat")

    with pytest.raises(CallFailed, match="http_500"):
        await ask(patient(script, tries=1), "bad")


async def test_nothing_is_given_up_while_nobody_gets_through():
    healthy_at = time.monotonic() + 0.25

    def script(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        if time.monotonic() < healthy_at:
            raise Outage("http_502: bad gateway")
        return origin.record_id

    names = [str(number) for number in range(50)]
    engine = patient(script, tries=2)

    assert await asyncio.gather(*(ask(engine, name) for name in names)) == names


async def test_the_failures_of_an_outage_do_not_count_when_it_is_over():
    oh = Outage("http_502: bad gateway")
    canary = oh

    assert await ask(patient(in_turn(oh, oh, canary, oh, "a"), tries=2), "a") == "a"


async def test_a_busy_server_never_costs_a_record():
    busy = [Outage("http_429: slow down", blames_call=False)] * 6
    engine = patient(in_turn(*busy, Outage("http_500: oh"), "a"), tries=2)

    assert await ask(engine, "a") == "a"


async def test_the_wait_is_as_long_as_the_server_asks_for():
    failure = Outage("http_503: later", retry_after_s=0.2, blames_call=False)
    engine = patient(Failing(failure, "a", times=1))
    began = time.monotonic()

    await ask(engine, "a")

    assert time.monotonic() - began >= 0.2


async def test_the_run_stops_when_nobody_got_through_for_long():
    failure = Outage("no_connection: refused", blames_call=False)
    engine = patient(Failing(failure, *"abcdefgh"), give_up_after_s=0.15)
    began = time.monotonic()

    ended = await asyncio.gather(
        *(ask(engine, name) for name in "abcdefgh"), return_exceptions=True
    )

    assert all(isinstance(error, EngineDown) for error in ended)
    assert 0.15 <= time.monotonic() - began < 2
    assert "'scripted'" in str(ended[0])
    assert "no_connection: refused" in str(ended[0])
    assert "Run the same command again" in str(ended[0])


async def test_a_quota_of_tomorrow_stops_the_run_today():
    failure = Outage("http_429: quota", retry_after_s=86_400, blames_call=False)
    engine = patient(Failing(failure, "a"), give_up_after_s=0.1)

    async with asyncio.timeout(2):
        with pytest.raises(EngineDown, match="quota"):
            await ask(engine, "a")


async def test_a_hopeless_call_does_not_stop_a_run_whose_server_answers():
    script = Failing(Outage("timeout: no reply within 1 s"), "bad")
    engine = patient(script, tries=3, give_up_after_s=0)

    with pytest.raises(CallFailed, match="timeout"):
        await ask(engine, "bad")


async def test_only_a_few_calls_probe_in_each_outage():
    down, most, now = True, 0, 0
    begun: set[str] = set()

    async def script(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        nonlocal most, now
        again = origin.record_id in begun
        begun.add(origin.record_id)
        now += again
        await asyncio.sleep(0.005)
        most, now = max(most, now), now - again
        if down:
            raise Outage("no_connection: refused", blames_call=False)
        return origin.record_id

    engine = patient(script, at_once=64)
    for outage in ("a", "b"):
        down, most = True, 0
        calls = [asyncio.create_task(ask(engine, f"{outage}{number}")) for number in range(64)]
        await asyncio.sleep(0.2)
        probing, down = most, False
        await asyncio.gather(*calls)

        assert 1 <= probing <= 4
        assert most > 4


async def test_no_more_calls_are_in_flight_than_allowed_and_all_slots_are_used():
    most = 0

    async def script(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        nonlocal most
        most = max(most, engine.in_flight)
        await asyncio.sleep(0.002)
        return origin.record_id

    engine = patient(script, at_once=7)
    await asyncio.gather(*(ask(engine, str(number)) for number in range(50)))

    assert (most, engine.in_flight) == (7, 0)


async def test_a_cancelled_call_gives_its_slot_back():
    engine = patient(Failing(Outage("no_connection: no", blames_call=False), "a"), at_once=1)
    waiting = asyncio.create_task(ask(engine, "a"))
    await asyncio.sleep(0.05)

    waiting.cancel()

    async with asyncio.timeout(1):
        assert await ask(engine, "b") == "b"
    assert engine.in_flight == 0


async def test_trouble_is_shown_while_it_lasts():
    script = Failing(Outage("no_connection: no", blames_call=False), "a", times=2)
    engine = patient(script)
    waiting = asyncio.create_task(ask(engine, "a"))
    await asyncio.sleep(0.005)
    during = engine.waiting_since

    await waiting

    assert during is not None
    assert during <= time.monotonic()
    assert engine.waiting_since is None


async def test_tokens_of_finished_calls_are_counted():
    def script(_prompt: Prompted, _sampling: Sampling, _origin: Origin) -> Completion:
        return Completion("a", usage=Usage(10, 3))

    engine = patient(script)

    await asyncio.gather(ask(engine, "a"), ask(engine, "b"))

    assert (engine.prompt_tokens, engine.completion_tokens) == (20, 6)


async def test_chat_templates_and_identity_are_those_of_the_engine():
    inner = ScriptedEngine(model="small")
    engine = PatientEngine(inner)

    written = await engine.chat_text(chat("Hi").messages, reply_next=True)

    assert written == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    assert engine.identity == inner.identity
