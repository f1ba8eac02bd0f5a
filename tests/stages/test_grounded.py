"""What becomes of a document that is asked about, and of each reply that is no good."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Record
from synth.stages.grounded import Grounded
from synth.stages.parts.grounding import unanswerable_of
from tests.running import question as instruction
from tests.running import services, write_lines

SALT = "# Salt\n\n" + "Eat less than 5 g of salt a day. " * 3
REST = "# Rest\n\n" + "Rest in bed is not advised for long. " * 3
Said = str | Completion


def document(text: str = SALT + "\n\n" + REST, name: str = "guide", number: int = 0) -> Record:
    return Record.seed({"text": text, "document": name, "title": "A guide"}, number=number)


def grounded(**options: Any) -> Grounded:
    """Return a stage with two passages a document and one question each, unless told otherwise."""
    given = {"engine": "teacher", "passage_words": 40, "questions": 1, "unanswerable": 0, **options}
    return Grounded.model_validate(given)


def script(replies: Mapping[str, Said] | None = None) -> ScriptedEngine:
    """Return an engine that says what `replies` has for a step, or else what is wanted there."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Said:
        usual = {"answer": "Less than 5 g.", "decline": "The passages do not say that."}
        asked = f"1. What of {origin.step} {origin.position}?"
        return (replies or {}).get(origin.step, usual.get(origin.step, asked))

    return ScriptedEngine(reply)


async def made(
    folder: Path,
    engine: Engine | None = None,
    record: Record | None = None,
    **options: Any,
) -> list[Record]:
    stage = grounded(**options)
    async with services(
        folder,
        label="ask",
        engines={"teacher": engine or script()},
        prompts={name: prompt.source for name, prompt in stage.compiled({}).items()},
    ) as given:
        return list(await stage.apply(record or document(), given))


def questions(rows: list[Record]) -> list[Record]:
    return [row for row in rows if len(row.position) == 3]


def reasons(rows: list[Record]) -> list[str]:
    return [row.dropped.reason.split(":")[0] for row in rows if row.dropped]


async def test_each_passage_has_its_questions_below_it(tmp_path: Path):
    rows = await made(tmp_path)

    assert [(row.position, row.state) for row in rows] == [
        ((0, 0), "parent"),
        ((0, 0, 0), "live"),
        ((0, 1), "parent"),
        ((0, 1, 0), "live"),
    ]
    assert rows[1].parents == (rows[0].id, document().id)
    assert {row.family for row in rows} == {document().id}


async def test_the_evidence_stays_on_the_record(tmp_path: Path):
    first, second = questions(await made(tmp_path))

    assert first.fields["question"] == "What of question (0, 0)?"
    assert first.fields["answerable"] is True
    assert first.fields["text"] == SALT.strip()
    shown = sorted(first.fields["passages"], key=lambda passage: passage["passage"])
    assert shown[0] == {
        "document": "guide",
        "passage": 0,
        "heading": "Salt",
        "text": SALT.strip(),
    }
    assert (second.fields["passage"], second.fields["heading"]) == (1, "Rest")


async def test_the_conversation_shows_the_passages_above_the_question(tmp_path: Path):
    first = questions(await made(tmp_path, retrieved=0))[0]

    assert [message["role"] for message in first.messages] == ["system", "user", "assistant"]
    assert SALT.strip() in first.messages[0]["content"]
    assert first.instruction == "What of question (0, 0)?"
    assert first.reply == "Less than 5 g."


async def test_the_conversation_may_hold_the_question_alone(tmp_path: Path):
    first = questions(await made(tmp_path, context="question"))[0]

    assert [message["role"] for message in first.messages] == ["user", "assistant"]
    assert first.fields["passages"]


async def test_an_answer_is_asked_from_the_passage_and_what_suits_the_question(tmp_path: Path):
    prompts: list[str] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        if origin.step == "answer" and origin.position == (0, 0):
            prompts.append(prompt.messages[-1]["content"])
        return (
            f"1. Is rest advised, or salt, in {origin.position}?"
            if origin.step == "question"
            else "No."
        )

    first = questions(await made(tmp_path, ScriptedEngine(reply), retrieved=2))[0]

    assert SALT.strip() in prompts[0]
    assert REST.strip() in prompts[0]
    assert sorted(shown["passage"] for shown in first.fields["passages"]) == [0, 1]


async def test_the_own_passage_has_no_place_of_its_own(tmp_path: Path):
    listed = "\n".join(f"{number}. Is rest number {number} advised?" for number in range(1, 41))

    rows = await made(tmp_path, script({"question": listed}), questions=40, retrieved=1)

    own = [row for row in questions(rows) if row.state == "live" and row.fields["passage"] == 0]
    firsts = sum(row.fields["passages"][0]["passage"] == 0 for row in own)
    assert 8 <= firsts <= 32


async def test_an_unanswerable_question_is_answered_by_saying_so(tmp_path: Path):
    rows = questions(await made(tmp_path, unanswerable=1))

    assert [row.fields["answerable"] for row in rows] == [False, False]
    assert rows[0].fields["question"] == "What of unanswerable (0, 0)?"
    assert rows[0].reply == "The passages do not say that."


async def test_both_kinds_of_a_passage_are_numbered_one_after_the_other(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        asked = (f"{number}. {origin.step} {origin.position} {number}?" for number in range(1, 9))
        return "\n".join(asked)

    rows = questions(await made(tmp_path, ScriptedEngine(reply), questions=8, unanswerable=0.5))

    assert [row.position[2] for row in rows] == [*range(8)] * 2
    kinds = [row.fields["answerable"] for row in rows[:8]]
    assert 0 < sum(kinds) < 8
    assert kinds == sorted(kinds, reverse=True)
    assert [row.fields["question"].startswith("question") for row in rows[:8]] == kinds


def test_unanswerable_questions_are_drawn_by_their_share():
    rng = random.Random(7)

    drawn = [unanswerable_of(3, 0.1, rng) for _ in range(2000)]

    assert 510 <= sum(drawn) <= 690
    assert max(drawn) <= 3


@pytest.mark.parametrize("mark", ["UNANSWERABLE", "**UNANSWERABLE.**", "Not told.\n\nUNANSWERABLE"])
async def test_a_question_that_the_model_cannot_answer_is_dropped(tmp_path: Path, mark: str):
    rows = questions(await made(tmp_path, script({"answer": mark})))

    assert reasons(rows) == ["unanswerable", "unanswerable"]
    assert rows[0].fields["raw_reply"] == mark


async def test_an_unanswerable_question_with_an_answer_is_dropped(tmp_path: Path):
    rows = await made(tmp_path, script({"decline": "ANSWERABLE"}), unanswerable=1)

    assert reasons(questions(rows)) == ["answerable", "answerable"]


async def test_a_word_within_an_answer_is_no_mark(tmp_path: Path):
    said = "The code UNANSWERABLE is shown by the device."

    assert reasons(await made(tmp_path, script({"answer": said}))) == []


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("", "empty_questions"),
        ("<think>So many", "unfinished_reasoning"),
        ("Here is one.\nAnd another.", "no_list"),
        ("1. ***", "empty_question"),
        (Completion("1. What is", finish_reason="length"), "cut_off_question"),
    ],
)
async def test_a_list_that_cannot_be_read_is_a_dropped_child(
    tmp_path: Path, reply: Said, code: str
):
    rows = questions(await made(tmp_path, script({"question": reply})))

    assert reasons(rows) == [code, code]
    text = reply if isinstance(reply, str) else reply.text
    assert rows[0].fields["raw_reply"] == text


async def test_what_stands_before_the_cut_is_kept(tmp_path: Path):
    cut = Completion("1. What is salt?\n2. What is", finish_reason="length")

    rows = questions(await made(tmp_path, script({"question": cut}), questions=2))

    assert [row.state for row in rows] == ["live", "dropped", "dropped", "dropped"]
    assert reasons(rows) == ["cut_off_question", "duplicate_question", "cut_off_question"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("", "empty_answer"),
        ("<think>Well", "unfinished_reasoning"),
        (Completion("Less than", finish_reason="length"), "cut_off_answer"),
    ],
)
async def test_an_answer_that_is_no_good_is_a_dropped_child(tmp_path: Path, reply: Said, code: str):
    rows = questions(await made(tmp_path, script({"answer": reply})))

    assert reasons(rows) == [code, code]
    assert rows[0].fields["passages"]


@pytest.mark.parametrize("step", ["question", "answer"])
async def test_a_failed_call_is_an_error_of_its_child(tmp_path: Path, step: str):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.step == step and origin.position == (0, 0):
            raise CallFailed("bad_request: too long")
        return f"1. What of {origin.position}?"

    first, second = questions(await made(tmp_path, ScriptedEngine(reply)))

    assert first.dropped is not None
    assert (first.dropped.kind, first.dropped.reason) == ("error", "bad_request: too long")
    assert second.state == "live"


async def test_a_passage_without_a_question_is_dropped(tmp_path: Path):
    rows = await made(tmp_path, script({"question": "NONE."}))

    assert reasons(rows) == ["nothing_to_ask", "nothing_to_ask"]
    assert [row.position for row in rows] == [(0, 0), (0, 1)]


async def test_a_single_question_needs_no_number_and_the_first_count(tmp_path: Path):
    alone = await made(tmp_path, script({"question": "What is salt?"}))
    (tmp_path / "b").mkdir()
    many = await made(tmp_path / "b", script({"question": "1. **Is it?**\n2. Or not?"}))

    assert questions(alone)[0].fields["question"] == "What is salt?"
    assert [row.fields["question"] for row in questions(many)] == ["Is it?", "Is it?"]


async def test_a_repeated_question_is_dropped_before_it_is_answered(tmp_path: Path):
    engine = script({"question": "1. How much SALT a day?\n2. how much salt, a day"})

    rows = questions(await made(tmp_path, engine, questions=2))

    assert [row.state for row in rows] == ["live", "dropped", "dropped", "dropped"]
    assert set(reasons(rows)) == {"duplicate_question"}
    assert engine.calls == 3


async def test_questions_that_are_alike_are_dropped_by_a_threshold(tmp_path: Path):
    engine = script({"question": "1. How much salt a day?\n2. How much salt each day?"})

    rows = questions(await made(tmp_path, engine, questions=2, similarity_threshold=0.7))

    assert [row.state for row in rows] == ["live", "dropped", "dropped", "dropped"]


@pytest.mark.parametrize("fields", [{}, {"text": 5}, {"text": " "}, {"text": "# Title"}])
async def test_a_document_without_text_is_dropped(tmp_path: Path, fields: dict[str, Any]):
    rows = await made(tmp_path, record=Record.seed(fields))

    assert reasons(rows) == ["no_text"]


async def together(folder: Path, records: list[Record], **options: Any) -> list[Record]:
    """Return what leaves a stage that is given the whole set, by position."""
    stage, left = grounded(scope="all", **options), list[Record]()
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    async with services(
        folder, label="ask", engines={"teacher": script()}, prompts=prompts
    ) as given:
        await stage.apply_all(records, given, left.extend)
    return sorted(left, key=lambda row: row.position)


async def test_answers_may_rest_on_passages_of_all_documents(tmp_path: Path):
    records = [document(SALT, "one"), document("", "two", 1), document(SALT + "More.", "three", 2)]

    rows = await together(tmp_path, records, retrieved=1)

    assert grounded(scope="all").sees_all
    assert not grounded().sees_all
    assert reasons(rows) == ["no_text"]
    found = {row.position[0]: row.fields["passages"] for row in questions(rows)}
    assert {passage["document"] for passage in found[0]} <= {"one", "three"}


async def test_instructions_are_answered_from_a_corpus(tmp_path: Path):
    corpus = write_lines(tmp_path / "corpus.jsonl", [{"text": SALT}, {"text": REST}])

    stage = Grounded.model_validate({"engine": "teacher", "corpus": str(corpus), "retrieved": 1})
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    async with services(tmp_path, engines={"teacher": script()}, prompts=prompts) as given:
        (child,) = await stage.apply(instruction("How much salt?"), given)
        (stray,) = await stage.apply(instruction("Quantum?"), given)

        with pytest.raises(ValueError, match="nothing_to_answer"):
            await stage.apply(Record.seed({"text": SALT}), given)

    assert child.position == (0, 0)
    assert [passage["text"] for passage in child.fields["passages"]] == [SALT.strip()]
    assert child.instruction == "How much salt?"
    assert reasons([stray]) == ["nothing_retrieved"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"context": "question", "unanswerable": 0.1}, "wants `unanswerable: 0`"),
        ({"retrieval": "embeddings"}, "want each other"),
        ({"embedder": "e"}, "want each other"),
        ({"overlap_words": 30}, "half of `passage_words`"),
    ],
)
def test_options_that_do_not_suit_each_other_are_refused(options: dict[str, Any], says: str):
    with pytest.raises(ValidationError, match=says):
        grounded(**options)


def test_a_stage_keeps_the_prompts_it_asks_with():
    alone = grounded(context="question").prompts_used()

    assert set(alone) == {"question_prompt", "answer_prompt"}
    assert "decline_prompt" in grounded(unanswerable=0.1).prompts_used()


def test_a_corpus_without_documents_is_refused(tmp_path: Path):
    corpus = write_lines(tmp_path / "corpus.jsonl", [{"words": SALT}])

    with pytest.raises(ValidationError, match="holds no document with a field 'text'"):
        Grounded.model_validate({"engine": "teacher", "corpus": str(corpus)})


class Embedder(Engine):
    """Embeds a text by whether it speaks of salt or of rest."""

    name: ClassVar[str] = "embedder"

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        return [[float("salt" in text), float("est" in text)] for text in texts]


async def test_passages_may_be_found_by_embeddings(tmp_path: Path):
    stage = grounded(retrieval="embeddings", embedder="near", retrieved=1)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    engines: dict[str, Engine] = {"teacher": script(), "near": Embedder()}
    async with services(tmp_path, label="ask", engines=engines, prompts=prompts) as given:
        rows = await stage.apply(document(), given)

    assert stage.engines() == ("teacher", "near")
    assert [len(row.fields["passages"]) for row in questions(list(rows))] == [2, 2]
