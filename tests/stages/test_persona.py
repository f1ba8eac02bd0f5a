"""Texts for personas: every row tells whose it is, and who is drawn evenly."""

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
from synth.prompt import Prompt
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.run.plan import plan
from synth.run.start import Settings, run
from synth.stages.parts.personas import (
    RELATIONS,
    TASKS,
    chosen_personas,
    drawn_persona,
    drawn_relation,
    shipped_digest,
    without_label,
)
from synth.stages.persona import Persona
from tests.running import command, numbering, question, saying, services, write_lines, write_recipe

BEEKEEPER = Record.seed({"persona": "A beekeeper who keeps weather records."})
TURNS = ("instruction", "math", "reasoning", "code")
TEXTS = ("knowledge", "npc", "tool")


async def made(
    folder: Path, engine: Engine, record: Record = BEEKEEPER, **options: Any
) -> list[Record]:
    """Return the children that the stage `people` makes of a record."""
    stage = validated(Persona, {"engine": "teacher", **options}, folder=folder)
    own = {name: Prompt.read(folder / file) for name, file in stage.prompt_files().items()}
    prompts = {name: prompt.source for name, prompt in stage.compiled(own).items()}
    async with services(
        folder, label="people", engines={"teacher": engine}, prompts=prompts
    ) as given:
        return leaving(record, await stage.apply(record, given), "people")[1:]


async def asked(folder: Path, record: Record = BEEKEEPER, **options: Any) -> list[str]:
    """Return what the engine was asked, child by child."""
    seen: dict[int, str] = {}

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        seen[origin.sample] = prompt.messages[-1]["content"]
        return f"Text {origin.sample}"

    folder.mkdir(exist_ok=True)
    await made(folder, ScriptedEngine(reply), record, **options)
    return [seen[number] for number in sorted(seen)]


def reason(child: Record) -> str:
    return child.dropped.reason if child.dropped else ""


@pytest.mark.parametrize("task", TURNS)
async def test_a_persona_gives_n_user_turns_and_stands_on_each(tmp_path: Path, task: str):
    children = await made(tmp_path, numbering(), task=task, n=3)

    assert sorted(child.instruction for child in children) == ["reply 1", "reply 2", "reply 3"]
    assert [child.position for child in children] == [(0, 0), (0, 1), (0, 2)]
    assert [child.fields for child in children] == [BEEKEEPER.fields] * 3
    assert [[turn["role"] for turn in child.messages] for child in children] == [["user"]] * 3


@pytest.mark.parametrize("task", TEXTS)
async def test_other_tasks_give_a_text_that_is_no_turn(tmp_path: Path, task: str):
    (child,) = await made(tmp_path, saying("Bees winter in a cluster."), task=task)

    assert child.fields == {**BEEKEEPER.fields, "text": "Bees winter in a cluster."}
    assert child.messages == ()


@pytest.mark.parametrize("task", [task for task in TASKS if task != "from_text"])
async def test_the_persona_is_in_the_prompt(tmp_path: Path, task: str):
    (prompt,) = await asked(tmp_path, task=task)

    assert "A beekeeper who keeps weather records." in prompt


async def test_a_persona_is_drawn_for_each_child_of_a_record_without(tmp_path: Path):
    people = ["A nurse.", "A baker.", "A judge."]
    record = Record.seed({"persona": " "})
    prompts = await asked(tmp_path / "asked", record, n=30, personas=people)
    children = await made(tmp_path, numbering(), record, n=30, personas=people)

    drawn = [child.fields["persona"] for child in children]
    assert set(drawn) == set(people)
    assert all(person in prompt for person, prompt in zip(drawn, prompts, strict=True))


async def test_the_records_instruction_is_an_example_and_its_system_turns_stay(tmp_path: Path):
    turns = [("system", "Be kind."), ("user", "Why is it wet?"), ("assistant", "So.")]
    messages = [Message(role=role, content=said) for role, said in turns]
    record = Record.seed({"persona": "A baker."}, messages)

    (prompt,) = await asked(tmp_path / "asked", record)
    (child,) = await made(tmp_path, saying("How long does dough rest?"), record)

    assert "Why is it wet?" in prompt
    assert [turn["content"] for turn in child.messages] == ["Be kind.", "How long does dough rest?"]


async def test_a_domain_of_the_record_is_told(tmp_path: Path):
    (prompt,) = await asked(tmp_path, Record.seed({"persona": "A baker.", "domain": "law"}))

    assert "this domain: law." in prompt


@pytest.mark.parametrize("fields", [{"text": "Hives are weighed."}, {"instruction": "Hives?"}])
async def test_a_text_gives_personas_without_a_conversation(tmp_path: Path, fields: dict[str, str]):
    record = Record.seed(fields, [Message(role="user", content="Hives?")])

    (prompt,) = await asked(tmp_path / "asked", record, task="from_text")
    (child,) = await made(tmp_path, saying("Persona: A beekeeper."), record, task="from_text")

    assert next(iter(fields.values())) in prompt
    assert child.fields == {**fields, "persona": "A beekeeper."}
    assert child.messages == ()


async def test_a_persona_gives_others_that_are_related_to_it(tmp_path: Path):
    prompts = await asked(tmp_path / "asked", task="related", n=20)
    children = await made(tmp_path, numbering(), task="related", n=20)

    relations = [child.fields["relation"] for child in children]
    assert len(set(relations)) > 4
    assert all(told in prompt for told, prompt in zip(relations, prompts, strict=True))
    assert {child.fields["related_to"] for child in children} == {BEEKEEPER.fields["persona"]}
    assert len({child.fields["persona"] for child in children}) == 20


async def test_nothing_to_read_is_an_error_of_the_record(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^nothing_to_read: "):
        await made(tmp_path, saying("A baker."), Record.seed({"text": " "}), task="from_text")


@pytest.mark.parametrize(
    ("task", "said", "kept"),
    [
        ("math", "**Math problem:** Two hives …", "Two hives …"),
        ("math", "## Problem:\nTwo hives …", "Two hives …"),
        ("instruction", "User prompt: Which hive?", "Which hive?"),
        ("instruction", "The user prompt: is it long?", "The user prompt: is it long?"),
        ("instruction", "Problem: it rains.", "Problem: it rains."),
        ("related", "persona : A baker.", "A baker."),
        ("npc", "Name: Odo", "Name: Odo"),
    ],
)
def test_a_label_before_the_text_is_taken_off(task: str, said: str, kept: str):
    assert without_label(said, TASKS[task].labels) == kept


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (" \n", "empty_text: the model returned no text"),
        ("<think>Well.</think>", "empty_text: the model returned no text"),
        ("<think>Well, a", "unfinished_reasoning: the model was still thinking when it stopped"),
        (Completion("Which hi", "length"), "cut_off_text: the text did not end within"),
    ],
)
async def test_a_text_that_is_no_good_is_a_dropped_child(
    tmp_path: Path, task: str, said: str | Completion, expected: str
):
    record = Record.seed({"persona": "A baker.", "text": "Dough rests."})

    (child,) = await made(tmp_path, saying(said), record, task=task)

    assert reason(child).startswith(expected)
    assert child.fields["raw_reply"] == (said.text if isinstance(said, Completion) else said)
    assert child.fields["persona"] == "A baker."


async def test_a_label_alone_is_an_empty_text(tmp_path: Path):
    (child,) = await made(tmp_path, saying("Math problem:\n"), task="math")

    assert reason(child) == "empty_text: the model wrote a label alone"
    assert child.fields["raw_reply"] == "Math problem:\n"


@pytest.mark.parametrize("said", ["why is  the sky BLUE?", "A Baker.", "Dough rests."])
async def test_what_the_model_was_shown_is_no_new_text(tmp_path: Path, said: str):
    fields = {"persona": "A baker.", "text": "Dough rests."}
    record = Record.seed(fields, question().messages)

    (child,) = await made(tmp_path, saying(said), record)

    assert reason(child) == "copied_example: the text is what the model was shown"


@pytest.mark.parametrize("task", ["math", "npc", "related"])
async def test_of_equal_texts_the_first_stays(tmp_path: Path, task: str):
    children = await made(tmp_path, saying("How?"), task=task, n=3)

    assert [child.state for child in children] == ["live", "dropped", "dropped"]
    assert {reason(child) for child in children[1:]} == {"duplicate: the text is that of number 1"}


async def test_thinking_is_no_part_of_the_text(tmp_path: Path):
    (child,) = await made(tmp_path, saying("<think>Hm.</think>\nWhich hive?"))

    assert child.instruction == "Which hive?"


async def test_failed_calls_drop_their_children_only(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 1:
            raise CallFailed("timeout: no reply within 600 s")
        return f"Text {origin.sample}"

    children = await made(tmp_path, ScriptedEngine(reply), n=3)

    assert [child.state for child in children] == ["live", "dropped", "live"]
    assert children[1].fields == BEEKEEPER.fields
    assert reason(children[1]) == "timeout: no reply within 600 s"


async def test_running_again_draws_and_asks_the_same(tmp_path: Path):
    record = Record.seed({})
    first = await made(tmp_path, numbering(), record, n=5)
    engine = numbering()

    again = await made(tmp_path, engine, record, n=5)

    assert engine.calls == 0
    assert again == first


async def test_personas_and_relations_are_drawn_evenly(tmp_path: Path):
    people = chosen_personas(tuple(f"Person {number}" for number in range(8)))
    async with services(tmp_path) as given:
        rngs = [given.rng(question(), "persona", str(number)) for number in range(6000)]

    drawn = Counter(drawn_persona(people, rng) for rng in rngs)
    related = Counter(drawn_relation(RELATIONS, rng) for rng in rngs)

    # Chi-square of 7 degrees of freedom: 18.48 at p = 0.01.
    assert sum((drawn[person] - 750) ** 2 / 750 for person in people) < 18.48
    assert sum((related[relation] - 750) ** 2 / 750 for relation in RELATIONS) < 18.48


def test_personas_come_from_a_list_a_text_or_rows(tmp_path: Path):
    (tmp_path / "people.txt").write_text("# ours\nA nurse.\n\nA baker. \nA nurse.\n", "utf-8")
    write_lines(tmp_path / "people.jsonl", [{"persona": "A nurse."}, {"persona": "A baker."}])

    both = ("A baker.", "A nurse.")
    assert chosen_personas(("A nurse.", "A baker.")) == both
    assert chosen_personas(tmp_path / "people.txt") == both
    assert chosen_personas(tmp_path / "people.jsonl") == both


def test_the_shipped_personas_are_drawn_from_where_none_are_named():
    assert len(chosen_personas(None)) >= 50


def test_other_personas_are_another_stage(tmp_path: Path):
    file = tmp_path / "people.txt"
    options = {"engine": "x", "personas": "people.txt"}
    file.write_text("A nurse.", "utf-8")
    before = validated(Persona, options, folder=tmp_path).identity

    file.write_text("A baker.", "utf-8")

    assert validated(Persona, options, folder=tmp_path).identity != before


def test_the_shipped_personas_are_part_of_a_stage_that_draws_from_them():
    own = Persona(engine="x", personas=("A nurse.",))

    assert shipped_digest() in Persona(engine="x").identity
    assert shipped_digest() not in own.identity


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "maths"}, "no task 'maths'. Did you mean 'math'?"),
        ({"personas": []}, "wants at least one persona, found none"),
        ({"personas": "latin.txt"}, "personas: byte 2 of 'latin.txt' is not UTF-8; convert it"),
        ({"personas": [" "]}, "wants at least one persona, found none"),
        ({"personas": ["A nurse."], "task": "from_text"}, "takes no `personas`"),
        ({"personas": "gone.txt"}, "no file or folder 'gone.txt' beside the recipe"),
        ({"personas": "empty.txt"}, "wants at least one persona, found none"),
        ({"personas": "people.exe"}, "wanted a file with personas: wanted a file of"),
        ({"personas": "rows.jsonl"}, "or give rows a column `persona`"),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, options: dict[str, Any], message: str):
    (tmp_path / "empty.txt").write_text("# nobody\n", "utf-8")
    (tmp_path / "latin.txt").write_bytes("Kö".encode("latin-1"))
    (tmp_path / "people.exe").write_text("A nurse.", "utf-8")
    write_lines(tmp_path / "rows.jsonl", [{"name": "A nurse."}])

    with pytest.raises(ValidationError) as caught:
        validated(Persona, {"engine": "x", **options}, folder=tmp_path)

    assert message in str(caught.value)


def test_every_task_has_a_prompt():
    assert set(Persona.default_prompts) == set(TASKS)


async def test_a_prompt_of_ones_own_stands_for_the_tasks(tmp_path: Path):
    (tmp_path / "ask.jinja").write_text("Be {{ persona }} Ask a riddle.", "utf-8")

    prompts = await asked(tmp_path, prompt="ask.jinja")

    assert prompts == ["Be A beekeeper who keeps weather records. Ask a riddle."]


RECIPE = """
name: people
seeds: [personas]
engines: {teacher: scripted}
stages:
  - persona: {engine: teacher, task: %s, n: 2}
"""


def test_check_names_the_task_that_was_meant(tmp_path: Path):
    said = command("check", str(write_recipe(tmp_path, RECIPE % "maths")))

    assert said.code == 2
    assert "line 6" in said.err
    assert "Did you mean 'math'?" in said.err


def test_a_run_at_another_pace_gives_the_same_bytes(tmp_path: Path):
    recipe = write_recipe(tmp_path, RECIPE % "math")
    files: list[bytes] = []
    for at_once in (1, 64):
        into = tmp_path / str(at_once)
        engine = ScriptedEngine(
            lambda _prompt, _sampling, origin: f"{origin.record_id} {origin.sample}"
        )
        planned = plan(recipe, engines={"teacher": engine}).at_once(at_once)
        outcome = run(planned, into, Settings(workers=1))
        assert outcome.exit_code == 0
        (file,) = into.rglob("*persona.parquet")
        files.append(file.read_bytes())

    assert files[0] == files[1]
