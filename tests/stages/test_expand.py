"""Many requests of few: like an example, in other words, about a topic that was drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.stages.expand import Expand, drawn_index, drawn_style
from tests.running import command, numbering, question, saying, services, write_lines, write_recipe

LISTS = {"topics": "1. rivers\n2. roads\n3. bridges", "subtopics": "1. tolls\n2. signs\n3. holes"}


async def expand(
    folder: Path, engine: Engine, record: Record | None = None, **options: Any
) -> list[Record]:
    """Return the children that the stage `more` makes of a record."""
    stage = validated(Expand, {"engine": "teacher", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    record = record or question()
    async with services(
        folder, label="more", engines={"teacher": engine}, prompts=prompts
    ) as given:
        return leaving(record, await stage.apply(record, given), "more")[1:]


def listing(**said: str | Completion) -> ScriptedEngine:
    """Return an engine that lists topics, and writes requests that are numbered."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        return {"request": f"Request {origin.sample}?", **LISTS, **said}[origin.step]

    return ScriptedEngine(reply)


def reasons(children: list[Record]) -> list[str]:
    return [child.dropped.reason for child in children if child.dropped]


async def asked(folder: Path, record: Record | None = None, **options: Any) -> list[str]:
    """Return what the engine was asked: child by child, each step after the one before."""
    seen: dict[tuple[int, str], str] = {}

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        seen[origin.sample, origin.step] = prompt.messages[-1]["content"]
        return LISTS.get(origin.step, f"Request {origin.sample}?")

    folder.mkdir(exist_ok=True)
    await expand(folder, ScriptedEngine(reply), record, **options)
    return [seen[at] for at in sorted(seen, key=lambda at: at[0])]


async def test_an_example_gives_n_new_requests_of_its_family(tmp_path: Path):
    record = Record.seed({"domain": "physics"}, [Message(role="user", content="Why?")])

    children = await expand(tmp_path, numbering(), record, n=4)

    assert sorted(child.instruction for child in children) == [f"reply {n}" for n in range(1, 5)]
    assert {child.family for child in children} == {record.id}
    assert {child.fields["domain"] for child in children} == {"physics"}
    assert [child.position for child in children] == [(0, number) for number in range(4)]


def test_the_defaults_are_the_published_ones():
    published = {how: Expand.model_validate({"engine": "x", "how": how}).n for how in HOWS}

    assert Expand(engine="x").n == 100
    assert Expand(engine="x").sampling.temperature == 1.0
    assert published == {"examples": 100, "paraphrase": 2, "conditional": 1, "nested": 1}


HOWS = ("examples", "paraphrase", "conditional", "nested")


async def test_the_style_that_was_asked_for_stands_on_the_record(tmp_path: Path):
    styles = ["terse", "flowery"]
    prompts = await asked(tmp_path, n=20, styles=styles)
    children = await expand(tmp_path, numbering(), n=20, styles=styles)

    said = [style for prompt in prompts for style in styles if f"Style: {style}." in prompt]
    assert said == [child.fields["style"] for child in children]
    assert set(said) == set(styles)


async def test_system_turns_stay_and_the_old_request_does_not(tmp_path: Path):
    turns = [("system", "Be kind."), ("user", "Why?"), ("assistant", "So.")]
    record = Record.seed({}, [Message(role=role, content=said) for role, said in turns])

    (child,) = await expand(tmp_path, saying("How?"), record, n=1)

    assert [turn["content"] for turn in child.messages] == ["Be kind.", "How?"]


async def test_further_examples_stand_beside_the_records_own(tmp_path: Path):
    rows = [{"instruction": f"Example {number}?"} for number in range(5)]
    write_lines(tmp_path / "examples.jsonl", rows)

    prompts = await asked(tmp_path, question("Example 0?"), n=6, shown=2, examples="examples.jsonl")

    assert all(prompt.count("<example>") == 3 for prompt in prompts)
    assert all(prompt.count("Example 0?") == 1 for prompt in prompts)
    assert len(set(prompts)) > 1


async def test_a_copy_of_an_example_is_a_dropped_child(tmp_path: Path):
    children = await expand(tmp_path, saying("why is  the sky BLUE?"), n=1)

    assert reasons(children) == ["copied_example: the text is that of an example"]
    assert children[0].fields["raw_reply"] == "why is  the sky BLUE?"


async def test_of_equal_requests_the_first_stays(tmp_path: Path):
    children = await expand(tmp_path, saying("How?"), n=3)

    assert [child.state for child in children] == ["live", "dropped", "dropped"]
    assert reasons(children) == ["duplicate: the text is that of number 1"] * 2


async def test_a_paraphrase_keeps_input_reply_and_fields(tmp_path: Path):
    asked = "Sum up.\n\nA long text.\n\nIts end."
    turns = [("user", asked), ("assistant", "Short.")]
    record = Record.seed(
        {"source": "us"}, [Message(role=role, content=said) for role, said in turns]
    )

    (child,) = await expand(tmp_path, saying("Give a summary."), record, how="paraphrase", n=1)

    assert child.instruction == "Give a summary.\n\nA long text.\n\nIts end."
    assert child.reply == "Short."
    assert child.fields == {"source": "us"}


async def test_a_paraphrase_is_asked_for_without_the_input(tmp_path: Path):
    prompts = await asked(tmp_path, question("Sum up.\n\nA long text."), how="paraphrase")

    assert len(prompts) == 2
    assert all("Sum up." in prompt and "A long text." not in prompt for prompt in prompts)


async def test_a_paraphrase_that_changes_nothing_is_dropped(tmp_path: Path):
    record = question("Sum up.\n\nA long text.")

    children = await expand(tmp_path, saying("sum up."), record, how="paraphrase", n=1)

    assert reasons(children) == ["copied_example: the text is that of an example"]


async def test_the_topic_that_was_drawn_is_what_is_asked_about(tmp_path: Path):
    children = await expand(tmp_path, listing(), how="conditional", n=12, topics=3)
    prompts = await asked(tmp_path / "again", how="conditional", n=12, topics=3)

    drawn = [child.fields["topic"] for child in children]
    requests = [prompt for prompt in prompts if prompt.startswith("Write one request")]
    assert set(drawn) == {"rivers", "roads", "bridges"}
    assert all(f"topic: {topic}." in prompt for topic, prompt in zip(drawn, requests, strict=True))


async def test_nested_lists_draw_twice(tmp_path: Path):
    children = await expand(tmp_path, listing(), how="nested", n=12, topics=3)

    pairs = {(child.fields["topic"], child.fields["subtopic"]) for child in children}
    assert len(pairs) > 4
    assert {subtopic for _, subtopic in pairs} == {"tolls", "signs", "holes"}


async def test_the_second_list_is_asked_for_within_the_first_topic(tmp_path: Path):
    prompts = await asked(tmp_path, how="nested", n=1, topics=3)

    assert len(prompts) == 3
    assert any(topic in prompts[1] for topic in ("rivers", "roads", "bridges"))


async def test_topics_need_no_instruction_and_follow_a_domain(tmp_path: Path):
    prompts = await asked(
        tmp_path, Record.seed({"domain": "law"}), how="conditional", n=1, topics=3
    )

    assert "this domain: law." in prompts[0]


@pytest.mark.parametrize("how", ["examples", "paraphrase"])
async def test_a_record_without_an_instruction_is_an_error_of_its_own(tmp_path: Path, how: str):
    with pytest.raises(ValueError, match=r"^nothing_to_expand: "):
        await expand(tmp_path, saying("How?"), Record.seed({"n": 1}), how=how)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Rivers, roads and bridges", "no_list: wanted a list with numbers, found none"),
        ("", "empty_reply: the model returned no text"),
        (Completion("1. rivers\n2. ro", "length"), "cut_off_reply: the text did not end within"),
        ("1. rivers", "short_list: number "),
        ("1. **\n2. --\n3. ...", "empty_item: number "),
    ],
)
@pytest.mark.parametrize("step", ["topics", "subtopics"])
async def test_a_list_that_is_no_good_is_a_dropped_child(
    tmp_path: Path, step: str, said: str | Completion, reason: str
):
    topics = 3 if reason.startswith("empty_item") else 50
    long = "\n".join(f"{number}. topic {number}" for number in range(1, topics + 1))
    lists = {"topics": long, "subtopics": long, step: said}

    (child,) = await expand(tmp_path, listing(**lists), how="nested", topics=topics)

    assert child.dropped is not None
    assert child.dropped.kind == "filter"
    assert child.dropped.reason.startswith(reason)
    assert child.fields["raw_reply"] == (said.text if isinstance(said, Completion) else said)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (" \n", "empty_reply"),
        (Completion("Why do", "length"), "cut_off_reply"),
        ("<think>Why", "unfinished_reasoning"),
    ],
)
async def test_a_request_that_is_no_good_is_a_dropped_child(
    tmp_path: Path, how: str, said: str | Completion, reason: str
):
    engine = listing(request=said, examples=said, paraphrase=said)

    (child,) = await expand(tmp_path, engine, how=how, n=1, topics=3)

    assert child.dropped is not None
    assert child.dropped.reason.startswith(f"{reason}: ")
    assert child.fields["raw_reply"] == (said.text if isinstance(said, Completion) else said)


async def test_failed_calls_drop_their_children_only(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample in {1, 2}:
            raise CallFailed("timeout: no reply within 600 s")
        return f"Request {origin.sample}?"

    children = await expand(tmp_path, ScriptedEngine(reply), n=4)

    assert [child.state for child in children] == ["live", "dropped", "dropped", "live"]
    assert reasons(children) == ["timeout: no reply within 600 s"] * 2


async def test_running_again_asks_nothing_and_gives_the_same(tmp_path: Path):
    first = await expand(tmp_path, listing(), how="nested", n=5, topics=3)
    engine = listing()

    again = await expand(tmp_path, engine, how="nested", n=5, topics=3)

    assert engine.calls == 0
    assert again == first


async def test_styles_and_topics_are_drawn_evenly(tmp_path: Path):
    names = [str(number) for number in range(6)]
    async with services(tmp_path) as given:
        rngs = [given.rng(question(), "style", str(number)) for number in range(6000)]

    styles = Counter(drawn_style(names, rng) for rng in rngs)
    topics = Counter(drawn_index(6, rng) for rng in rngs)

    # Chi-square of 5 degrees of freedom: 15.09 at p = 0.01.
    assert sum((styles[name] - 1000) ** 2 / 1000 for name in names) < 15.09
    assert sum((topics[number] - 1000) ** 2 / 1000 for number in range(6)) < 15.09


def test_further_examples_without_a_file_are_refused():
    with pytest.raises(ValidationError, match="`shown` wants `examples`"):
        Expand(engine="x", shown=2)


RECIPE = """
name: more
seeds: [./seeds.jsonl]
engines: {teacher: scripted}
stages:
  - expand: {engine: teacher, shown: 3, examples: seeds.jsonl}
"""


def test_check_refuses_a_file_with_too_few_examples(tmp_path: Path):
    rows = [{"instruction": f"Why {number}?"} for number in range(3)]
    recipe = write_recipe(tmp_path, RECIPE, seeds=rows)

    said = command("check", str(recipe))

    assert said.code == 2
    assert "`shown: 3` wants a file of at least 4 examples, found 3" in said.err


@pytest.mark.parametrize("how", HOWS)
async def test_thinking_enters_neither_a_request_nor_a_topic(tmp_path: Path, how: str):
    thought = "<think>1. this\n2. that\n3. these</think>"
    said = {step: thought + text for step, text in LISTS.items()}
    asks = dict.fromkeys(("request", "examples", "paraphrase"), f"{thought}How?")

    (child,) = await expand(tmp_path, listing(**said, **asks), how=how, n=1, topics=3)

    assert child.instruction == "How?"
    assert child.fields.get("topic") in {None, "rivers", "roads", "bridges"}


async def test_a_remark_and_marks_of_emphasis_are_no_part_of_a_topic(tmp_path: Path):
    lists = "Here they are:\n\n1. **rivers**\n\nShall I go on?"

    (child,) = await expand(tmp_path, listing(topics=lists), how="conditional", topics=1)

    assert child.fields["topic"] == "rivers"
