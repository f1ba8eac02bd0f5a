"""Constraints that a program can check: drawn evenly, never contrary, stored with arguments."""
# pyarrow has no complete type stubs.
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pyarrow.parquet import read_table
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.run.plan import plan
from synth.run.start import Settings, run
from synth.stages.constrain import Constrain
from synth.stages.parts.constraints import CATALOGUE
from tests.running import numbering, question, saying, services, write_recipe

TRAINS = "Explain to a traveller how a railway timetable is made for a small junction."


async def constrain(
    folder: Path, record: Record | None = None, engine: Engine | None = None, **options: Any
) -> list[Record]:
    """Return the rows of what the stage `rules` makes of a record, behind the record."""
    stage = Constrain.model_validate({**options, **({"engine": "teacher"} if engine else {})})
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    engines = {"teacher": engine} if engine else {}
    record = record or question(TRAINS)
    async with services(folder, label="rules", engines=engines, prompts=prompts) as given:
        return leaving(record, await stage.apply(record, given), "rules")[1:]


def drawn_ids(child: Record) -> list[str]:
    return [one["id"] for one in child.fields["constraints"]]


async def test_sentences_stand_below_the_instruction(tmp_path: Path):
    (child,) = await constrain(tmp_path, least=2, most=2)

    before, _, below = child.instruction.partition("\n\n")
    assert before == TRAINS
    assert len(drawn_ids(child)) == 2
    assert below
    assert child.messages == (Message(role="user", content=child.instruction),)


async def test_only_the_last_user_turn_is_constrained_and_its_reply_is_left_behind(tmp_path: Path):
    turns = [("system", "Be kind."), ("user", "Hello"), ("assistant", "Yes?"), ("user", TRAINS)]
    messages = [Message(role=role, content=said) for role, said in [*turns, ("assistant", "So.")]]

    (child,) = await constrain(tmp_path, Record.seed({"domain": "rail"}, messages))

    assert list(child.messages[:3]) == messages[:3]
    assert len(child.messages) == 4
    assert child.instruction.startswith(TRAINS)
    assert child.fields["domain"] == "rail"


async def test_n_children_have_constraints_of_their_own(tmp_path: Path):
    children = await constrain(tmp_path, n=20)

    assert len({child.instruction for child in children}) == 20
    assert {len(drawn_ids(child)) for child in children} == {1, 2, 3}
    assert [child.position for child in children] == [(0, number) for number in range(20)]


async def test_a_child_that_says_the_same_again_is_dropped(tmp_path: Path):
    children = await constrain(tmp_path, n=6, most=1, kinds=["punctuation"])

    live = [child for child in children if child.state == "live"]
    assert len({child.instruction for child in children}) == len(live) < 6


async def test_a_recipe_may_name_kinds_and_groups(tmp_path: Path):
    children = await constrain(tmp_path, n=30, kinds=["keywords", "startend:quotation"])

    drawn = {kind for child in children for kind in drawn_ids(child)}
    assert drawn == {kind for kind in CATALOGUE if kind.startswith("keywords:")} | {
        "startend:quotation"
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kinds": ["keyword"]}, "no constraint or group of constraints 'keyword'. Did you mean"),
        ({"least": 3, "most": 2}, "wants `least` up to `most`, got 3 and 2"),
        ({"join": "rewrite"}, "`join: rewrite` wants an `engine`, `join: append` none"),
        ({"engine": "teacher"}, "`join: rewrite` wants an `engine`, `join: append` none"),
        ({"relaxed": True, "most": 1}, "`relaxed` wants `most` of at least 2"),
        (
            {"kinds": ["combination"], "join": "rewrite", "engine": "teacher"},
            "cannot have 'combination:repeat_prompt' with `join: rewrite`",
        ),
        (
            {"kinds": ["change_case"], "least": 2},
            "`least: 2` wants as many `kinds` that one answer can meet together, found 1",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(ValidationError) as caught:
        Constrain.model_validate(options)

    assert message in str(caught.value)


@pytest.mark.parametrize("words", ["", " \n"])
async def test_a_record_without_an_instruction_is_an_error_of_its_own(tmp_path: Path, words: str):
    with pytest.raises(ValueError, match=r"^nothing_to_constrain: "):
        await constrain(tmp_path, Record.seed({"instruction": words}))


async def test_constraints_that_a_record_has_are_not_lost(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^already_constrained: "):
        await constrain(tmp_path, Record.seed({"instruction": TRAINS, "constraints": []}))


async def test_where_no_words_can_be_drawn_the_record_is_dropped(tmp_path: Path):
    record = question("Why?")
    kinds = ["keywords:existence", "keywords:frequency", "punctuation"]
    stage = Constrain.model_validate({"kinds": kinds, "least": 2})

    async with services(tmp_path, label="rules") as given:
        (dropped,) = await stage.apply(record, given)

    assert dropped.id == record.id
    assert dropped.dropped is not None
    assert dropped.dropped.reason == "too_few_constraints: 1 could be made, wanted 2"


async def test_an_instruction_without_content_words_gets_other_constraints(tmp_path: Path):
    children = await constrain(tmp_path, question("Why?"), n=30)

    taking = {
        "keywords:existence",
        "keywords:frequency",
        "length_constraints:nth_paragraph_first_word",
    }
    assert not taking & {kind for child in children for kind in drawn_ids(child)}


async def test_the_relaxed_sibling_asks_for_one_constraint_less(tmp_path: Path):
    children = await constrain(tmp_path, n=12, least=1, most=3, relaxed=True)
    strict = {child.instruction: child for child in children if child.fields["side"] == "strict"}
    relaxed = [child for child in children if child.fields["side"] == "relaxed"]

    assert len(relaxed) == sum(len(drawn_ids(child)) > 1 for child in strict.values())
    for child in relaxed:
        other = strict[child.instruction]
        assert child.messages == other.messages
        assert child.fields["constraints"] == other.fields["constraints"]
        assert child.fields["relaxed"] in drawn_ids(child)
        assert other.fields["asks"] == other.instruction
        assert child.fields["asks"].startswith(TRAINS)
        assert len(child.fields["asks"]) < len(other.instruction)


def woven(prompt: Prompted) -> str:
    """Return the reply of a model that puts the conditions behind a new beginning."""
    assert isinstance(prompt, Chat)
    conditions = re.findall(r"^- (.*)$", prompt.messages[-1]["content"], re.MULTILINE)
    return "Traveller: " + " ".join(conditions)


def weaving() -> ScriptedEngine:
    return ScriptedEngine(lambda prompt, _sampling, _origin: woven(prompt))


async def test_an_engine_may_weave_the_constraints_in(tmp_path: Path):
    children = await constrain(tmp_path, engine=weaving(), join="rewrite", n=8)

    assert [child.state for child in children] == ["live"] * 8
    assert all(child.instruction.startswith("Traveller: ") for child in children)
    assert not any("combination:repeat_prompt" in drawn_ids(child) for child in children)


async def test_both_sides_are_woven_by_calls_of_their_own(tmp_path: Path):
    options: dict[str, Any] = {"join": "rewrite", "relaxed": True, "least": 2}

    strict, relaxed = await constrain(tmp_path, engine=weaving(), **options)

    assert strict.fields["asks"] == strict.instruction == relaxed.instruction
    assert relaxed.fields["asks"] != relaxed.instruction


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty_instruction: the model returned no text"),
        ("<think>Well.</think>\n", "empty_instruction: the model returned no text"),
        ("<think>Well, a", "unfinished_reasoning: the model was still thinking when it stopped"),
        (Completion("Explain", "length"), "cut_off_instruction: the text did not end within"),
        ("Explain timetables.", "lost_constraint: keywords:existence wants "),
    ],
)
async def test_a_rewriting_that_is_no_good_is_a_dropped_child(
    tmp_path: Path, said: str | Completion, reason: str
):
    options: dict[str, Any] = {"join": "rewrite", "kinds": ["keywords:existence"], "relaxed": True}

    (child,) = await constrain(tmp_path, engine=saying(said), **options)

    assert child.dropped is not None
    assert child.dropped.kind == "filter"
    assert child.dropped.reason.startswith(reason)
    assert child.fields["raw_reply"] == (said.text if isinstance(said, Completion) else said)
    assert drawn_ids(child) == ["keywords:existence"]


async def test_a_relaxed_rewriting_that_is_no_good_leaves_the_strict_one(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        return "" if origin.step == "relaxed" else woven(prompt)

    options: dict[str, Any] = {"join": "rewrite", "relaxed": True, "least": 2}
    strict, relaxed = await constrain(tmp_path, engine=ScriptedEngine(reply), **options)

    assert strict.state == "live"
    assert relaxed.dropped is not None
    assert relaxed.dropped.reason == "empty_instruction: the model returned no text"
    assert relaxed.fields["side"] == "relaxed"


async def test_failed_calls_drop_their_children_only(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 1:
            raise CallFailed("timeout: no reply within 600 s")
        return f"No. {origin.sample}"

    options: dict[str, Any] = {"join": "rewrite", "kinds": ["punctuation"], "n": 3}
    children = await constrain(tmp_path, engine=ScriptedEngine(reply), **options)

    assert [child.state for child in children] == ["live", "dropped", "live"]
    assert children[1].dropped is not None
    assert children[1].dropped.kind == "error"


async def test_running_again_draws_and_asks_the_same(tmp_path: Path):
    options: dict[str, Any] = {
        "join": "rewrite",
        "kinds": ["startend:quotation", "punctuation"],
        "n": 3,
    }
    first = await constrain(tmp_path, engine=numbering(), **options)
    engine = numbering()

    again = await constrain(tmp_path, engine=engine, **options)

    assert engine.calls == 0
    assert again == first


PAIRS = """
name: pairs
seeds: [./seeds.jsonl]
engines: {teacher: scripted}
stages:
  - constrain: {least: 2, relaxed: true}
  - respond: {engine: teacher, prompt: asks.jinja}
  - verify: {verifiers: [{field: {of: side, equals: strict, as: strict}}]}
export:
  dpo: {rejected_by: [strict]}
"""


def echo(prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
    assert isinstance(prompt, Chat)
    return "You asked: " + prompt.messages[-1]["content"]


def pairs_of(recipe: Path, into: Path, *, at_once: int) -> tuple[bytes, list[Any]]:
    """Return the file of the stage `constrain`, and the pairs of the run's export."""
    planned = plan(recipe, engines={"teacher": ScriptedEngine(echo)}).at_once(at_once)
    run(planned, into, Settings(workers=1))
    (file,) = into.rglob("*constrain.parquet")
    rows = [row for part in into.rglob("dpo/**/*.parquet") for row in read_table(part).to_pylist()]
    return file.read_bytes(), rows


def test_strict_and_relaxed_replies_become_pairs_of_one_prompt(tmp_path: Path):
    (tmp_path / "asks.jinja").write_text("{{ asks }}", "utf-8")
    seeds = [{"instruction": f"{TRAINS} Part {number}."} for number in range(8)]
    recipe = write_recipe(tmp_path, PAIRS, seeds=seeds)

    slow, rows = pairs_of(recipe, tmp_path / "slow", at_once=1)
    fast, _ = pairs_of(recipe, tmp_path / "fast", at_once=64)

    assert slow == fast
    assert len(rows) == 8
    for row in rows:
        asked = row["prompt"][-1]["content"]
        assert row["chosen"][0]["content"] == f"You asked: {asked}"
        assert len(row["rejected"][0]["content"]) < len(row["chosen"][0]["content"])
