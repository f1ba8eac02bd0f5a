"""Domains: named by a model, or told by a classifier that was held to account by family."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, SeedError
from synth.record import Record
from synth.stages.domain import DOMAINS, Domain
from synth.stages.parts.domain_classifier import examples, trained
from tests.running import question, saying, services, write_lines

CODE = [f"Write a Python function that sorts a list of {what}" for what in "abcdefgh"]
HEALTH = [f"Which medicine helps against pain in the {what}" for what in "abcdefgh"]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Return a file with eight examples of each of two domains, two of each family."""
    rows = [
        {"instruction": text, "domain": domain, "family": f"{domain} {number // 2}"}
        for domain, texts in (("code", CODE), ("health", HEALTH))
        for number, text in enumerate(texts)
    ]
    return write_lines(tmp_path / "labelled.jsonl", rows)


async def label(folder: Path, engine: ScriptedEngine, **options: Any) -> list[Record]:
    stage = Domain.model_validate({"engine": "teacher", **options})
    async with services(
        folder, label="domain", engines={"teacher": engine}, prompts=stage.default_prompts
    ) as given:
        return list(await stage.apply(question(), given))


async def by_examples(folder: Path, text: str, **options: Any) -> Record:
    stage = Domain.model_validate(options, context={"folder": folder})
    async with services(folder, label="domain") as given:
        [labelled] = await stage.apply(question(text), given)
        return labelled


@pytest.mark.parametrize(
    "said",
    [
        '{"domain": "Science"}',
        "science",
        "Science.",
        "**science**",
        "<think>law?</think>Domain: science",
        '<think>law?</think>```json\n{"domain": "science", "because": "not math"}\n```',
    ],
)
async def test_a_model_names_the_domain(said: str, tmp_path: Path):
    [record] = await label(tmp_path, saying(said))

    assert record.id == question().id
    assert record.fields == {"domain": "science"}


@pytest.mark.parametrize(
    "said", ['{"domain": "cooking"}', "cooking", "", "health or law", "<think>It is science"]
)
async def test_a_reply_that_names_none_or_several_leaves_no_domain(said: str, tmp_path: Path):
    record, child = await label(tmp_path, saying(said))

    assert "domain" not in record.fields
    assert record.state == "live"
    assert child.fields["raw_reply"] == said
    assert child.dropped is not None
    assert child.dropped.reason.startswith("no_choice: ")


@pytest.mark.parametrize("structured", [True, False])
async def test_the_server_is_told_the_names_of_the_domains_unless_the_recipe_says_no(
    tmp_path: Path, *, structured: bool
):
    schemas: list[Any] = []

    def reply(_prompt: Prompted, sampling: Sampling, _origin: Origin) -> str:
        schemas.append(sampling.json_schema)
        return "law"

    await label(tmp_path, ScriptedEngine(reply), structured=structured, domains=["law", "other"])

    told = schemas[0]["properties"]["domain"]["enum"] if structured else schemas[0]
    assert told == (["law", "other"] if structured else None)


async def test_a_failed_call_leaves_no_domain(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        raise CallFailed("bad_request: no")

    record, child = await label(tmp_path, ScriptedEngine(reply))

    assert record.fields == {}
    assert child.dropped is not None
    assert child.dropped.kind == "error"


async def test_a_record_that_has_a_domain_keeps_it_without_a_call(tmp_path: Path):
    engine = saying("law")
    seed = Record.seed({"instruction": "Add 1 and 1.", "domain": "math"})

    async with services(tmp_path, engines={"teacher": engine}) as given:
        [record] = await Domain(engine="teacher").apply(seed, given)

    assert record == seed
    assert engine.calls == 0


async def test_the_model_is_shown_each_domain_and_what_belongs_to_it(tmp_path: Path):
    asked: list[str] = []

    def reply(prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append(prompt.messages[-1]["content"])
        return "cooking" if len(asked) > 1 else "law"

    for options in ({}, {"domains": ["cooking", "gardening"]}):
        (folder := tmp_path / str(len(asked))).mkdir()
        await label(folder, ScriptedEngine(reply), **options)

    assert all(f"- {name}: {what}\n" in asked[0] for name, what in DOMAINS.items())
    assert "- cooking\n- gardening\n" in asked[1]


async def test_a_classifier_learns_domains_from_examples(labelled: Path):
    record = await by_examples(
        labelled.parent, "Write a Python function that adds", examples=labelled.name
    )

    assert record.fields["domain"] == "code"
    assert 0.5 < record.fields["domain_probability"] <= 1


async def test_what_the_classifier_is_unsure_about_is_other(labelled: Path):
    record = await by_examples(
        labelled.parent, "xyz", examples=labelled.name, least_probability=0.9, other="unsure"
    )

    assert record.fields["domain"] == "unsure"


def test_accuracy_is_measured_on_families_that_training_did_not_see(tmp_path: Path):
    # Each family has words of its own: a twin would give the domain away, another family cannot.
    rows = [
        {"instruction": f"{word} {word} {twin}", "domain": domain, "family": word}
        for word, domain in (("qqq", "a"), ("zzz", "b"), ("jjj", "a"), ("vvv", "b"))
        for twin in ("1", "2")
    ]
    apart = write_lines(tmp_path / "apart.jsonl", rows)
    alone = [{**row, "family": str(number)} for number, row in enumerate(rows)]
    together = write_lines(tmp_path / "together.jsonl", alone)

    honest, fooled = trained(apart).accuracy, trained(together).accuracy

    assert honest is not None
    assert fooled is not None
    assert honest < 0.6 < fooled


def test_a_classifier_that_is_too_poor_is_refused(tmp_path: Path):
    rows = [{"instruction": str(n) * 3, "domain": "ab"[n % 2]} for n in range(8)]
    file = write_lines(tmp_path / "noise.jsonl", rows)

    with pytest.raises(SeedError, match=r"'noise\.jsonl' .* wants 95%; add examples"):
        trained(file, least_accuracy=0.95)


def test_rows_without_a_domain_are_no_examples(labelled: Path):
    with labelled.open("a") as file:
        file.write(json.dumps({"instruction": "Why?"}) + "\n")

    assert len(examples(labelled)) == 16


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "`engine` or `examples`, one of the two"),
        ({"engine": "teacher", "examples": "one.jsonl"}, "`engine` or `examples`, one of the two"),
        ({"examples": "one.jsonl"}, r"at least two domains in 'one\.jsonl', found 1"),
        ({"engine": "teacher", "domains": ["math"]}, "at least 2 items"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], said: str, tmp_path: Path):
    write_lines(tmp_path / "one.jsonl", [{"instruction": "Add.", "domain": "math"}])

    with pytest.raises(ValidationError, match=said):
        Domain.model_validate(options, context={"folder": tmp_path})


def test_without_scikit_learn_the_message_says_what_to_install(
    labelled: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    with pytest.raises(ValidationError, match=r"pip install 'expertsynth\[classify\]'"):
        Domain(examples=labelled)


def test_examples_without_words_are_told_of_and_do_not_break_the_run(tmp_path: Path):
    file = tmp_path / "examples.jsonl"
    file.write_text(
        '{"instruction": "!!", "domain": "law"}\n{"instruction": "??", "domain": "math"}\n'
    )

    with pytest.raises(SeedError, match=r"cannot learn from 2 examples, such as '!!'"):
        trained(file)
