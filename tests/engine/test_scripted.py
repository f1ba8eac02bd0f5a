"""Which line of a script answers which call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling, Text
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, InputError
from synth.record import Message
from tests.running import saying, write_lines


def scripted(folder: Path, *lines: Any, **options: Any) -> ScriptedEngine:
    write_lines(folder / "replies.jsonl", lines)
    return read_from(folder, **options)


def read_from(folder: Path, **options: Any) -> ScriptedEngine:
    written = {"replies": "replies.jsonl", **options}
    return ScriptedEngine.model_validate(written, context={"folder": folder})


def chat(text: str) -> Chat:
    return Chat((Message(role="system", content="Be brief."), Message(role="user", content=text)))


async def said(engine: ScriptedEngine, origin: Origin, prompt: Prompted | None = None) -> str:
    return (await engine.complete(prompt or chat("?"), Sampling(), origin)).text


def at(*position: int, stage: str = "draft", step: str = "reply", sample: int = 0) -> Origin:
    return Origin("3fa9", stage, step, sample, position)


async def test_a_line_answers_its_stage_step_ordinal_and_sample(tmp_path: Path):
    engine = scripted(
        tmp_path,
        {"stage": "draft", "ordinal": 0, "reply": "plain"},
        {"stage": "draft", "ordinal": 0, "sample": 1, "reply": "sample"},
        {"stage": "draft", "ordinal": 1, "reply": "ordinal"},
        {"stage": "final", "ordinal": 0, "reply": "stage"},
        {"stage": "draft", "step": "critique", "ordinal": 0, "reply": "step"},
    )
    await engine.start()

    assert await said(engine, at(0)) == "plain"
    assert await said(engine, at(0, sample=1)) == "sample"
    assert await said(engine, at(1)) == "ordinal"
    assert await said(engine, at(0, stage="final")) == "stage"
    assert await said(engine, at(0, step="critique")) == "step"
    assert engine.calls == 5


async def test_a_whole_position_goes_before_the_seeds_number(tmp_path: Path):
    engine = scripted(
        tmp_path,
        {"stage": "draft", "ordinal": 3, "reply": "any child"},
        {"stage": "draft", "ordinal": "3.1", "reply": "second child"},
    )
    await engine.start()

    assert await said(engine, at(3, 0)) == "any child"
    assert await said(engine, at(3, 1)) == "second child"


async def test_a_line_answers_its_prompt_wherever_it_is_asked(tmp_path: Path):
    engine = scripted(tmp_path, {"prompt": "Why?", "reply": "Because."})
    await engine.start()

    assert await said(engine, at(0), chat("Why?")) == "Because."
    assert await said(engine, at(9, stage="other", sample=4), Text("Why?")) == "Because."


async def test_a_place_goes_before_a_prompt(tmp_path: Path):
    engine = scripted(
        tmp_path,
        {"prompt": "Why?", "reply": "by prompt"},
        {"stage": "draft", "ordinal": 0, "reply": "by place"},
    )
    await engine.start()

    assert await said(engine, at(0), chat("Why?")) == "by place"


async def test_a_call_without_a_line_is_a_failed_call(tmp_path: Path):
    engine = scripted(tmp_path, {"stage": "draft", "ordinal": 0, "reply": "plain"})
    await engine.start()

    with pytest.raises(CallFailed, match="no_scripted_reply: nothing for stage 'final'") as failed:
        await said(engine, at(2, 1, stage="final", sample=3))

    assert "ordinal 2.1, sample 3" in str(failed.value)


async def test_a_reply_may_be_a_whole_completion(tmp_path: Path):
    reply = {
        "text": "The sky",
        "finish_reason": "length",
        "reasoning": "Hm.",
        "tool_calls": [{"id": "1"}],
    }
    engine = scripted(tmp_path, {"stage": "draft", "ordinal": 0, "reply": reply})
    await engine.start()

    completion = await engine.complete(chat("?"), Sampling(), at(0))

    assert (completion.text, completion.finish_reason) == ("The sky", "length")
    assert (completion.reasoning, completion.tool_calls) == ("Hm.", ({"id": "1"},))
    assert completion.usage.completion_tokens == 2


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        '["a", "list"]',
        '"prompt"',
        '{"reply": "no address"}',
        '{"stage": "draft", "reply": "no ordinal"}',
        '{"prompt": "no reply"}',
        '{"prompt": "Why?", "reply": 5}',
        '{"prompt": "Why?", "reply": {"txt": "misspelled"}}',
        '{"prompt": "Why?", "reply": null}',
    ],
)
async def test_a_bad_line_is_named_with_its_number(tmp_path: Path, line: str):
    good = '{"prompt": "a", "reply": "b"}'
    (tmp_path / "replies.jsonl").write_text(f"{good}\n\n{line}\n", "utf-8")

    with pytest.raises(InputError, match=r"^replies\.jsonl, line 3: wanted an object with `reply`"):
        await read_from(tmp_path).start()


async def test_two_lines_for_one_call_are_refused(tmp_path: Path):
    line = {"stage": "draft", "ordinal": 0, "reply": "plain"}
    engine = scripted(tmp_path, line, {**line, "step": "reply", "sample": 0, "reply": "other"})

    with pytest.raises(InputError, match=r"line 2: an earlier line answers 'draft reply 0 0'"):
        await engine.start()


async def test_a_line_separator_inside_a_reply_ends_no_line(tmp_path: Path):
    (tmp_path / "replies.jsonl").write_text('{"prompt": "a", "reply": "b\u2028c"}\r\n', "utf-8")
    engine = read_from(tmp_path)
    await engine.start()

    assert await said(engine, at(0), chat("a")) == "b\u2028c"


async def test_without_a_script_it_does_not_start():
    with pytest.raises(InputError, match=r"needs `replies:`, a JSON Lines file"):
        await ScriptedEngine().start()


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ValidationError, match=r"no file or folder 'replies\.jsonl' beside"):
        read_from(tmp_path)


def test_its_identity_is_the_script_and_not_its_place(tmp_path: Path):
    here, there, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    for folder, reply in ((here, "x"), (there, "x"), (other, "y")):
        folder.mkdir()
        write_lines(folder / "replies.jsonl", [{"prompt": "a", "reply": reply}])

    assert read_from(here).identity == read_from(there, at_once=3).identity
    assert read_from(here).identity != read_from(other).identity
    assert read_from(here).identity != read_from(here, model="other").identity


async def test_a_function_may_be_async_and_may_raise():
    async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        if origin.sample:
            raise CallFailed("refused: not this one")
        return Completion("slow", "length")

    engine = ScriptedEngine(reply)

    assert await said(engine, at(0)) == "slow"
    with pytest.raises(CallFailed, match="refused"):
        await said(engine, at(0, sample=1))


async def test_log_probabilities_are_scripted_as_json():
    engine = saying('{"tokens": ["a", "b"], "logprobs": [-1, -0.5]}')

    scored = await engine.logprobs(chat("?"), "ab", at(0))

    assert (scored.tokens, scored.logprobs) == (("a", "b"), (-1, -0.5))


async def test_its_template_shows_each_turn():
    written = await saying("").chat_text(chat("Why?").messages, reply_next=True)

    assert written == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
