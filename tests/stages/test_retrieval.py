"""Which passages suit a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synth.engine.base import Engine, Origin
from synth.stages.parts.passages import Passage
from synth.stages.parts.retrieval import Bm25, Embeddings, terms

ORIGIN = Origin("record", "grounded")


class Directions(Engine):
    """Embeds a text by whether it speaks of north or of east."""

    name: ClassVar[str] = "directions"

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        return [[float("north" in text), 2.0 * ("east" in text)] for text in texts]


def passages(*texts: str) -> list[Passage]:
    return [Passage("guide", number, "", text) for number, text in enumerate(texts)]


async def numbers(index: Bm25 | Embeddings, question: str, most: int = 3) -> list[int]:
    return [passage.number for passage in await index.ranked(question, most, ORIGIN)]


async def test_a_rare_word_counts_more_than_common_ones():
    index = Bm25(passages("the dose of salt", "the dose of metformin", "the walk of the dog"))

    assert await numbers(index, "The dose of METFORMIN?", 1) == [1]


async def test_passages_without_a_word_of_the_question_are_not_found():
    index = Bm25(passages("salt and water", "rest in bed"))

    assert await numbers(index, "How much salt?") == [0]
    assert await numbers(index, "Completely unknown") == []
    assert await numbers(index, "?!") == []


async def test_of_equally_good_passages_the_first_comes_first():
    index = Bm25(passages("salt", "rest", "salt", "salt"))

    assert await numbers(index, "salt", 2) == [0, 2]


async def test_a_heading_counts_as_part_of_its_passage():
    index = Bm25([Passage("guide", 0, "", "5 g"), Passage("guide", 1, "Salt", "5 g")])

    assert await numbers(index, "salt") == [1]


async def test_a_text_without_spaces_is_found_by_its_characters():
    index = Bm25(passages("每天喝水", "高血压病人少吃盐", "多走路"))

    assert await numbers(index, "高血压怎么办", 1) == [1]


async def test_nothing_is_found_where_there_is_nothing():
    assert await numbers(Bm25([]), "salt") == []
    assert await numbers(Bm25(passages("...")), "salt") == []


async def test_embeddings_find_the_nearest_direction_whatever_its_length():
    found = passages("east", "north and east", "north")

    index = await Embeddings.made(found, Directions(), lambda _number: ORIGIN)

    assert await numbers(index, "to the north", 2) == [2, 1]


def test_words_are_compared_without_case_and_marks():
    assert terms("Blood-pressure: 140 mmHg!") == ["blood", "pressure", "140", "mmhg"]
    assert terms("血压 OK") == ["血", "压", "血压", "ok"]
