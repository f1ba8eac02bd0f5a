"""Which of several near-duplicates stays is the recipe's choice; the others say why they go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.errors import InputError
from synth.record import Message, Record
from synth.stages.deduplicate import Deduplicate
from tests.running import rows_of, rows_that_hold, services

LONG = "tell me in a few plain words how a kettle boils water and why it stops on its own"
NEAR = LONG + " today"
FARTHER = "so please " + LONG
OTHER = "write a poem about a garden gate in spring that nobody has opened for many years"


def deduplicate(**options: Any) -> Deduplicate:
    return Deduplicate.model_validate(options)


async def drops(texts: Sequence[str], folder: Path, **options: Any) -> list[str | None]:
    """Return why each record is dropped, by the stage; the numbers `quality` fall."""
    quality = [None if number == 3 else number % 2 for number in range(len(texts))]
    fields = [
        {"n": number, "instruction": text, "quality": quality[number]}
        for number, text in enumerate(texts)
    ]
    rows = rows_of(folder, fields)
    async with services(folder) as given:
        chosen = await deduplicate(threshold=0.7, **options).choose(rows, given)
    return [str(chosen(number)) or None for number in range(len(texts))]


async def test_the_first_stays_and_the_rest_name_it(tmp_path: Path):
    [first, near, other] = await drops([LONG, NEAR, OTHER], tmp_path)

    assert (first, other) == (None, None)
    assert near is not None
    assert near.startswith("near_duplicate: 0.9")


async def test_the_best_of_a_group_stays(tmp_path: Path):
    found = await drops([LONG, NEAR, OTHER, FARTHER], tmp_path, keep="best", by="quality")

    assert [bool(reason) for reason in found] == [True, False, False, True]
    assert "has the highest score" in str(found[0])


async def test_a_score_that_no_record_has_is_a_slip(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"no record has a score 'qualty'.* Did you mean 'quality'"
    ):
        await drops([LONG, NEAR], tmp_path, keep="best", by="qualty")


async def test_an_empty_set_has_no_best(tmp_path: Path):
    assert await drops([], tmp_path, keep="best", by="quality") == []


async def test_none_of_a_group_stays(tmp_path: Path):
    found = await drops([LONG, NEAR, OTHER], tmp_path, keep="none")

    assert [bool(reason) for reason in found] == [True, True, False]
    assert "later records nearly repeat it" in str(found[0])


async def test_records_without_the_text_stay(tmp_path: Path):
    assert await drops(["", "", " "], tmp_path) == [None, None, None]


async def test_with_little_memory_the_choice_is_the_same(tmp_path: Path):
    texts = [LONG, NEAR, OTHER, FARTHER] * 3
    (tmp_path / "less").mkdir()

    assert await drops(texts, tmp_path) == await drops(texts, tmp_path / "less", memory_mb=64)


def chat(asked: str, *more: str) -> list[Message]:
    roles = ["user", "assistant"] * 3
    said = [
        Message(role=role, content=text) for role, text in zip(roles, [asked, *more], strict=False)
    ]
    return [Message(role="system", content=OTHER * 9), *said]


async def test_a_prompt_is_all_turns_before_the_reply_without_the_system_turn(tmp_path: Path):
    chats = [
        chat(LONG, "Steam.", "Thanks, and more?", "It rises."),
        chat(OTHER, "A gate.", "Thanks, and more?", "It rusts."),
        chat(LONG, "Steam.", "Thanks, and more?", OTHER),
    ]
    rows = rows_that_hold(tmp_path, [Record.seed({"n": n}, one) for n, one in enumerate(chats)])

    async with services(tmp_path) as given:
        chosen = await deduplicate(of="prompt").choose(rows, given)

    assert [bool(chosen(number)) for number in range(3)] == [False, False, True]


async def test_a_prompt_without_turns_is_the_instruction(tmp_path: Path):
    found = await drops([LONG, NEAR, OTHER], tmp_path, of="prompt")

    assert [bool(reason) for reason in found] == [False, True, False]


def test_memory_is_no_part_of_what_it_is():
    assert deduplicate(memory_mb=64).identity == deduplicate().identity


@pytest.mark.parametrize("options", [{"keep": "best"}, {"by": "quality"}])
def test_best_and_a_score_go_together(options: dict[str, Any]):
    with pytest.raises(ValidationError, match="go together"):
        deduplicate(**options)
